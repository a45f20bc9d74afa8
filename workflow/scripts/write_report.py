"""Write the experiment's page."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from pathlib import Path

    from quantrag.presentation.report.assemble import ReportFiles, make_report
    from quantrag.tables import atomic_path

    inputs = snakemake.input
    page = make_report(
        ReportFiles(
            tables={Path(path).stem: path for path in inputs.tables},
            queries=dict(zip(snakemake.params.config["tasks"], inputs.queries, strict=True)),
            prompts=inputs.prompts,
            completions=inputs.completions,
            scores=inputs.scores,
            costs=inputs.costs,
            benchmarks=snakemake.params.benchmarks,
        ),
        snakemake.params.config,
    )
    with atomic_path(snakemake.output.page) as temporary:
        temporary.write_text(page, encoding="utf-8")
