# analysis.smk: scores -> tables with intervals, tests and trends.
# needs: <results>/scores/{model}/{precision}.parquet, <results>/costs/{model}/{precision}.json,
#        config/published.yaml
# produces: <results>/scores.parquet and <results>/tables/{scores,comparisons,pooled,evidence,trends,costs,replication}.csv;
#           of recorded answers, where asked for, <results>/tables/{comparisons,pooled}_without.csv


rule summarize_scores:
    """Aggregate each cell's scores, with bootstrap intervals; join the per-query scores."""
    input:
        scores=plan.scores(),
    output:
        table="<results>/tables/scores.csv",
        scores="<results>/scores.parquet",
    log:
        "<logs>/summarize_scores.log",
    benchmark:
        "<benchmarks>/summarize_scores.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        tasks=plan.tasks.definitions,
        invalid=config["scoring"]["invalid"],
        confidence=config["statistics"]["confidence"],
        draws=config["statistics"]["draws"],
        seed=config["seed"],
        code=plan.code("summarize_scores.py"),
    script:
        "../scripts/summarize_scores.py"


rule compare:
    """Compare every precision with the baseline: differences, tests, equivalence, flips."""
    input:
        scores=plan.scores(),
    output:
        table="<results>/tables/comparisons.csv",
        pooled="<results>/tables/pooled.csv",
    log:
        "<logs>/compare.log",
    benchmark:
        "<benchmarks>/compare.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        tasks=plan.tasks.definitions,
        baseline=config["baseline"],
        invalid=config["scoring"]["invalid"],
        confidence=config["statistics"]["confidence"],
        margin=config["statistics"]["margin"],
        power=config["statistics"]["power"],
        permutations=config["statistics"]["permutations"],
        seed=config["seed"],
        without=None,
        code=plan.code("compare.py"),
    script:
        "../scripts/compare.py"


rule compare_by_evidence:
    """Split the comparisons by whether the evidence is in the prompt, and where."""
    input:
        scores=plan.scores(),
    output:
        table="<results>/tables/evidence.csv",
    log:
        "<logs>/compare_by_evidence.log",
    benchmark:
        "<benchmarks>/compare_by_evidence.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        tasks=plan.tasks.definitions,
        baseline=config["baseline"],
        invalid=config["scoring"]["invalid"],
        confidence=config["statistics"]["confidence"],
        margin=config["statistics"]["margin"],
        power=config["statistics"]["power"],
        permutations=config["statistics"]["permutations"],
        seed=config["seed"],
        code=plan.code("compare_by_evidence.py"),
    script:
        "../scripts/compare_by_evidence.py"


if RECORDED and config["recorded"]["without"]:

    use rule compare as compare_without with:
        output:
            table="<results>/tables/comparisons_without.csv",
            pooled="<results>/tables/pooled_without.csv",
        log:
            "<logs>/compare_without.log",
        benchmark:
            "<benchmarks>/compare_without.tsv"
        params:
            without=config["recorded"]["without"],


rule trend:
    """Estimate how the gap to the baseline changes per doubling of the context."""
    input:
        scores=plan.scores(),
    output:
        table="<results>/tables/trends.csv",
    log:
        "<logs>/trend.log",
    benchmark:
        "<benchmarks>/trend.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        tasks=plan.tasks.definitions,
        baseline=config["baseline"],
        invalid=config["scoring"]["invalid"],
        confidence=config["statistics"]["confidence"],
        code=plan.code("trend.py"),
    script:
        "../scripts/trend.py"


if not RECORDED:

    rule cost:
        """Join what each model and precision took in memory, time and energy."""
        input:
            costs=plan.costs(noise_floor=False),
            facts=local(own("config/estimate.yaml")),
        output:
            table="<results>/tables/costs.csv",
        log:
            "<logs>/cost.log",
        benchmark:
            "<benchmarks>/cost.tsv"
        conda:
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            precisions=config["precisions"],
            engine=config["generation"]["engine"],
            device=config["generation"]["device"],
            code=plan.code("cost.py"),
        script:
            "../scripts/cost.py"


rule replicate:
    """Set published values beside ours: OK, OKish or FAIL."""
    input:
        scores="<results>/tables/scores.csv",
        published=local(own("config/published.yaml")),
    output:
        table="<results>/tables/replication.csv",
    log:
        "<logs>/replicate.log",
    benchmark:
        "<benchmarks>/replicate.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=plan.code("replicate.py"),
    script:
        "../scripts/replicate.py"
