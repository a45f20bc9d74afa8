"""Write the experiment's page, and its first sentences for a terminal."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from pathlib import Path

    from quantrag.presentation.report.assemble import ReportFiles, make_report, summary_text
    from quantrag.tables import atomic_path

    inputs = snakemake.input
    tables = {Path(path).stem: path for path in inputs.tables}
    page = make_report(
        ReportFiles(
            tables=tables,
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
    with atomic_path(snakemake.output.summary) as temporary:
        temporary.write_text(summary_text(tables, snakemake.params.config), encoding="utf-8")
