# report.smk: everything -> one page that opens from disk without a network.
# needs: <results>/tables/*.csv, <results>/scores/, <results>/prompts/, <results>/completions/,
#        <results>/costs/, <results>/tasks/{task}/queries.parquet; of tasks with a shared corpus
#        <results>/tasks/{task}/documents.parquet
# produces: <results>/report.html, <results>/summary.txt

from quantrag.presentation.catalogue import chart_files


rule report:
    """Write the page: summary, figures, tables, explorer of prompts and answers, provenance."""
    input:
        tables=plan.products.tables,
        queries=plan.queries,
        documents=expand("<results>/tasks/{task}/documents.parquet", task=plan.tasks.corpora),
        prompts=plan.prompts(),
        completions=plan.completions(),
        scores=plan.scores(),
        costs=plan.costs(noise_floor=True),
        assets=local(REPORT_ASSETS),
    output:
        page="<results>/report.html",
        summary="<results>/summary.txt",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        config=config,
        benchmarks=f"{RESULTS}/benchmarks",
        code=plan.code("write_report.py", *chart_files()),
    script:
        "../scripts/write_report.py"
