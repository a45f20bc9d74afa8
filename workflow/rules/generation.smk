# generation.smk: prompts -> completions, one engine lifetime per model and precision.
# needs: <results>/prompts/{model}/{task}/{retriever}.parquet, a checkpoint folder per precision
# leaves: <results>/completions/{model}/{precision}/{task}/{retriever}/k{k}.parquet
#         <results>/costs/{model}/{precision}.json
#         <results>/journals/{model}/{precision}.jsonl, which outlives reruns and is no output

from quantrag.runtime.cpu import flags


onstart:
    # On a cluster each job asks for itself, where it runs; this machine is the login node.
    if workflow.is_main_process and workflow.local_exec and on_cpu():
        planned = [job for job in workflow.dag.needrun_jobs() if job.rule.name == "generate"]
        for job in planned:
            refusal = support_of(job.wildcards).needs.cpu_refusal(flags())
            if refusal:
                sys.exit(
                    f"error: precisions.{job.wildcards.precision}: {refusal}; leave it out."
                )


rule generate:
    """Answer every prompt of one model at one precision, except what its journal already answers."""
    input:
        prompts=lambda wildcards: prompt_files(wildcards.model),
        checkpoint=lambda wildcards: checkpoint_of(wildcards.model, wildcards.precision),
        original="<resources>/checkpoints/{model}/original",
    output:
        completions=[
            f"<results>/completions/{{model}}/{{precision}}/{cell}.parquet" for cell in cells()
        ],
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
        gpu=gpus_per_job(),
    params:
        generation=engine_settings(),
        formats=formats_of,
        needs=hardware_needs,
        served_precision=lambda wildcards: served(wildcards.precision).name,
        source=checkpoint_origin,
        shuffle_seed=lambda wildcards: (
            config["seed"] if wildcards.precision == NOISE_FLOOR else None
        ),
        journal=f"{RESULTS}/journals/{{model}}/{{precision}}.jsonl",
        code=code("generate.py", ENGINES[config["generation"]["engine"]].source_file),
    script:
        "../scripts/generate.py"
