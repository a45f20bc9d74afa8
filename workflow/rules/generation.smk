# generation.smk: prompts -> completions, one engine lifetime per model and precision.
# needs: <results>/prompts/{model}/{task}/{retriever}.parquet, a checkpoint folder per precision
# leaves: <results>/completions/{model}/{precision}/{task}/{retriever}/k{k}.parquet
#         <results>/costs/{model}/{precision}.json
#         <results>/journals/{model}/{precision}.jsonl, which outlives reruns and is no output


def served_precision(wildcards):
    """The precision whose checkpoint is run: the baseline's in the noise floor's second pass."""
    return config["baseline"] if wildcards.precision == NOISE_FLOOR else wildcards.precision


def engine_settings():
    """The section `generation` without the settings of engines that are not used."""
    unused = {"vllm", "transformers", "openai"} - {config["generation"]["engine"]}
    return {key: value for key, value in config["generation"].items() if key not in unused}


def number_formats(wildcards):
    """All that a precision may decide about the engine, beside the checkpoint."""
    entry = config["precisions"][served_precision(wildcards)]
    return {"dtype": entry["dtype"], "kv_cache_dtype": entry.get("kv_cache_dtype", "auto")}


def checkpoint_origin(wildcards):
    """Where the weights came from and what was done to them, for the completions' provenance."""
    precision = served_precision(wildcards)
    entry = config["precisions"][precision]
    if entry["method"] == "published":
        return source_of(wildcards.model, precision)
    formats = {"dtype", "kv_cache_dtype"}
    made = {key: value for key, value in entry.items() if key not in formats}
    return {**source_of(wildcards.model), "precision": made}


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
    retries: 1
    conda:
        "../../envs/generate.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 24000 * attempt,
        runtime=720,
        gpu=gpus_per_job(),
    params:
        generation=engine_settings(),
        precision=number_formats,
        served_precision=served_precision,
        source=checkpoint_origin,
        shuffle_seed=lambda wildcards: (
            config["seed"] if wildcards.precision == NOISE_FLOOR else None
        ),
        journal=f"{RESULTS}/journals/{{model}}/{{precision}}.jsonl",
        code=code("generate.py"),
    script:
        "../scripts/generate.py"
