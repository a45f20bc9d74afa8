# generation.smk: prompts -> completions, one engine lifetime per model and precision.
# needs: <results>/prompts/{model}/{task}/{retriever}.parquet, a checkpoint folder per precision;
#        the baseline's completions, where its answers are scored under the other precisions
# produces: <results>/completions/{model}/{precision}/{task}/{retriever}/k{k}.parquet
#           <results>/costs/{model}/{precision}.json
#           <results>/journals/{model}/{precision}.jsonl, which outlives reruns and is not an output

from quantrag.plan.checks import check_processor
from quantrag.runtime.cpu import flags


onstart:
    # On a cluster each job asks for itself, where it runs; this machine is the login node.
    if workflow.is_main_process and workflow.local_exec:
        jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name == "generate"]
        try:
            check_processor(plan, [job.wildcards.precision for job in jobs], flags())
        except UserError as error:
            sys.exit(f"error: {error}")


rule generate:
    """Answer every prompt of one model at one precision, except what its journal already answers."""
    input:
        prompts=lambda wildcards: plan.prompts(wildcards.model),
        checkpoint=lambda wildcards: plan.checkpoints.folder(wildcards.model, wildcards.precision),
        original="<resources>/checkpoints/{model}/original",
        baseline=lambda wildcards: plan.scored_answers(wildcards.model, wildcards.precision),
    output:
        completions=plan.completions_of_job(),
        costs="<results>/costs/{model}/{precision}.json",
    log:
        "<logs>/generate/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/generate/{model}/{precision}.tsv"
    conda:
        "../../envs/generate.yaml"
    threads: 8
    resources:
        mem_mb=growing(24000),
        runtime=growing(720),
        gpu=plan.gpus_of_generation,
    params:
        generation=plan.generation,
        formats=lambda wildcards: plan.checkpoints.formats(wildcards.precision),
        needs=lambda wildcards: plan.checkpoints.hardware_needs(wildcards.precision),
        served_precision=lambda wildcards: plan.checkpoints.served(wildcards.precision).name,
        source=lambda wildcards: plan.checkpoints.origin(wildcards.model, wildcards.precision),
        shuffle_seed=lambda wildcards: (
            config["seed"] if wildcards.precision == NOISE_FLOOR else None
        ),
        journal=f"{RESULTS}/journals/{{model}}/{{precision}}.jsonl",
        code=plan.code("generate.py", plan.engine_file),
    script:
        "../scripts/generate.py"
