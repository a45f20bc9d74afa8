# quantization.smk: original checkpoint + train split -> quantized checkpoints.
# needs: <resources>/checkpoints/{model}/original
#        <results>/tasks/{task}/{queries.parquet,train/queries.parquet,train/documents.parquet}
# leaves: <results>/calibration/{model}/{precision}.parquet: the calibration texts
#         <results>/checkpoints/{model}/{precision}: the quantized checkpoint, quantization.json in it

from quantrag.prompt_styles import style_hash


rule choose_calibration_texts:
    """Render train-split queries as prompts to calibrate on, none of them an evaluated query."""
    input:
        original=lambda wildcards: checkpoint_folder(wildcards.model),
        train_queries=lambda wildcards: expand(
            "<results>/tasks/{task}/train/queries.parquet",
            task=calibration_tasks(wildcards.precision),
        ),
        train_documents=lambda wildcards: expand(
            "<results>/tasks/{task}/train/documents.parquet",
            task=calibration_tasks(wildcards.precision),
        ),
        evaluated_queries=expand("<results>/tasks/{task}/queries.parquet", task=config["tasks"]),
    output:
        texts="<results>/calibration/{model}/{precision}.parquet",
    log:
        "<logs>/choose_calibration_texts/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/choose_calibration_texts/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=precisions_by("gptq"),
    conda:
        "../../envs/prompts.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        lamps=lambda wildcards: lamps_of(calibration_tasks(wildcards.precision)),
        style=config["prompts"]["style"],
        templates=lambda wildcards: style_hash(
            config["prompts"]["style"], lamps_of(calibration_tasks(wildcards.precision)).values()
        ),
        calibration=lambda wildcards: calibration_of(wildcards.precision),
        context=lambda wildcards: config["models"][wildcards.model]["context"],
        chat_template=lambda wildcards: config["models"][wildcards.model]["chat_template"],
        system_role=lambda wildcards: config["models"][wildcards.model]["system_role"],
        seed=config["seed"],
        code=code("choose_calibration_texts.py"),
    script:
        "../scripts/choose_calibration_texts.py"


rule quantize_gptq:
    """Quantize a model's original checkpoint with GPTQ, on the device that generation runs on."""
    input:
        original=lambda wildcards: checkpoint_folder(wildcards.model),
        texts="<results>/calibration/{model}/{precision}.parquet",
    output:
        checkpoint=directory("<results>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/quantize_gptq/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/quantize_gptq/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=precisions_by("gptq"),
    conda:
        "../../envs/quantize.yaml"
    threads: 8
    resources:
        mem_mb=growing(16000),
        runtime=growing(240),
        gpu=gpus_of_small_jobs(),
    params:
        parameters=lambda wildcards: gptq_parameters(wildcards.precision),
        code=code("quantize_gptq.py"),
    script:
        "../scripts/quantize_gptq.py"
