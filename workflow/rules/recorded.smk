# recorded.smk: answers that other programs recorded, in place of everything up to scoring.
# needs: the files of `recorded.results`, and of a task of LaMP <results>/tasks/{task}/queries.parquet
# produces: <results>/items/{task}.parquet, <results>/answers/{task}.parquet,
#           <results>/scores/{task}.parquet, <results>/report.html, <results>/summary.txt

from quantrag.presentation.catalogue import chart_files


rule score_recorded:
    """Match the recorded answers of one task item by item, and score them."""
    input:
        results=lambda wildcards: local(plan.files(wildcards.task)),
        queries=lambda wildcards: plan.queries_of(wildcards.task),
    output:
        item_table="<results>/items/{task}.parquet",
        answers="<results>/answers/{task}.parquet",
        scores="<results>/scores/{task}.parquet",
    log:
        "<logs>/score_recorded/{task}.log",
    benchmark:
        "<benchmarks>/score_recorded/{task}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        task=lambda wildcards: plan.tasks.definitions[wildcards.task],
        systems=lambda wildcards: plan.systems(wildcards.task),
        format=config["recorded"]["format"],
        options=experiment.recorded.options(),
        baseline=config["baseline"],
        parsing=config["scoring"]["parsing"],
        code=plan.code("score_recorded.py"),
    script:
        "../scripts/score_recorded.py"


rule report_recorded:
    """Write the page: summary, figures, tables, explorer of answers."""
    input:
        tables=plan.products.tables,
        item_tables=plan.items(),
        answers=plan.answers(),
        scores=plan.scores(),
        assets=local(REPORT_ASSETS),
    output:
        page="<results>/report.html",
        summary="<results>/summary.txt",
    log:
        "<logs>/report_recorded.log",
    benchmark:
        "<benchmarks>/report_recorded.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        config=config,
        benchmarks=f"{RESULTS}/benchmarks",
        code=plan.code("write_recorded_report.py", *chart_files()),
    script:
        "../scripts/write_recorded_report.py"
