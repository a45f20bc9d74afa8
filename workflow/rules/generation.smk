# generation.smk: prompts -> completions, one engine lifetime per model and precision.
# needs: <results>/prompts/{model}/{task}/{retriever}.parquet, a checkpoint folder per precision
# leaves: <results>/completions/{model}/{precision}/{task}/{retriever}/k{k}.parquet
#         <results>/costs/{model}/{precision}.json
#         <results>/journals/{model}/{precision}.jsonl, which outlives reruns and is no output


rule generate:
    """Answer every prompt of one model at one precision, except what its journal already answers."""
    input:
        prompts=lambda wildcards: prompt_files(wildcards.model),
        checkpoint=lambda wildcards: checkpoint_of(wildcards.model, served_precision(wildcards)),
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
        precision=number_formats,
        capability=capability_of,
        served_precision=served_precision,
        source=checkpoint_origin,
        shuffle_seed=lambda wildcards: (
            config["seed"] if wildcards.precision == NOISE_FLOOR else None
        ),
        journal=f"{RESULTS}/journals/{{model}}/{{precision}}.jsonl",
        code=code("generate.py"),
    script:
        "../scripts/generate.py"
