# estimate.smk: what the experiment will cost, before anything is spent.
# needs: config/estimate.yaml; prompts and checkpoints that are there are counted
# produces: only its log


rule estimate:
    """Print GPU hours, energy, download and disk of every model and precision, as assumed."""
    log:
        "<logs>/estimate.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        config=config,
        facts=own("config/estimate.yaml"),
        results=RESULTS,
        resources=RESOURCES,
    script:
        "../scripts/estimate.py"
