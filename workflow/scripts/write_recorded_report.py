"""Write the page of an experiment with recorded answers."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from pathlib import Path

    from quantrag.presentation.report.recorded import RecordedFiles, make_recorded_report
    from quantrag.tables import atomic_path

    inputs = snakemake.input
    tasks = list(snakemake.params.config["tasks"])
    page = make_recorded_report(
        RecordedFiles(
            tables={Path(path).stem: path for path in inputs.tables},
            queries=dict(zip(tasks, inputs.item_tables, strict=True)),
            answers=dict(zip(tasks, inputs.answers, strict=True)),
            scores=dict(zip(tasks, inputs.scores, strict=True)),
            benchmarks=snakemake.params.benchmarks,
        ),
        snakemake.params.config,
    )
    with atomic_path(snakemake.output.page) as temporary:
        temporary.write_text(page, encoding="utf-8")
