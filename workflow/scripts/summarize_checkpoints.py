"""Join sizes, perplexities and the errors of quantized layers to one table."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.quantization.checkpoint_table import summarize_checkpoints
    from quantrag.tables import write_csv

    names = snakemake.params.names
    measured = [
        (*name, folder, file)
        for name, folder, file in zip(
            names, snakemake.input.checkpoints, snakemake.input.perplexities, strict=True
        )
    ]
    write_csv(summarize_checkpoints(measured), snakemake.output.table)
