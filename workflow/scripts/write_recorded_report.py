"""Write the page of an experiment with recorded answers."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from pathlib import Path

    from quantrag.presentation.report.assemble import summary_text
    from quantrag.presentation.report.recorded import RecordedFiles, make_recorded_report
    from quantrag.tables import write_text

    inputs, params = snakemake.input, snakemake.params
    tables = {Path(path).stem: path for path in inputs.tables}
    tasks = list(params.config["tasks"])
    page = make_recorded_report(
        RecordedFiles(
            tables=tables,
            queries=dict(zip(tasks, inputs.item_tables, strict=True)),
            answers=dict(zip(tasks, inputs.answers, strict=True)),
            scores=dict(zip(tasks, inputs.scores, strict=True)),
            benchmarks=params.benchmarks,
        ),
        params.config,
    )
    write_text(page, snakemake.output.page)
    write_text(summary_text(tables, params.config), snakemake.output.summary)
