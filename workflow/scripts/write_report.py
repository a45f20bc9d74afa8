"""Write the experiment's page, and its first sentences for a terminal."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from pathlib import Path

    from quantrag.presentation.report.assemble import ReportFiles, make_report, summary_text
    from quantrag.tables import write_text

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
            documents={Path(path).parent.name: path for path in inputs.documents},
        ),
        snakemake.params.config,
    )
    write_text(page, snakemake.output.page)
    write_text(summary_text(tables, snakemake.params.config), snakemake.output.summary)
