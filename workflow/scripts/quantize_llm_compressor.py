"""Quantize a model's original checkpoint with llm-compressor: AWQ, INT8 W8A8 or FP8."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.quantization.llm_compressor_environment import run
    from quantrag.tables import read_table

    params = snakemake.params
    texts = read_table(snakemake.input.texts, columns=["token_ids"])["token_ids"]
    run(
        {
            "original": str(snakemake.input.original),
            "checkpoint": str(snakemake.output.checkpoint),
            "texts": [list(map(int, ids)) for ids in texts],
            "method": params.method,
            "parameters": params.parameters,
            "device": "cuda" if snakemake.resources.gpu else "cpu",
            "threads": snakemake.threads,
        },
        params.venv,
    )
