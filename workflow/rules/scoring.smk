# scoring.smk: the models' answers -> one score per query.
# needs: <results>/completions/... and <results>/tasks/{task}/queries.parquet; of tasks with a shared
#        corpus <results>/prompts/{model}/{task}/{retriever}.parquet
# produces: <results>/scores/{model}/{precision}.parquet


rule score:
    """Parse and score all answers of one checkpoint (or of the noise floor)."""
    input:
        completions=plan.completions_of_job(),
        queries=plan.queries,
        prompts=lambda wildcards: plan.prompts_with_evidence(wildcards.model),
    output:
        scores="<results>/scores/{model}/{precision}.parquet",
    log:
        "<logs>/score/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/score/{model}/{precision}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        cells=plan.cells,
        tasks=plan.tasks.definitions,
        parsing=config["scoring"]["parsing"],
        code=plan.code("score.py"),
    script:
        "../scripts/score.py"
