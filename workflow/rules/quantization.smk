# quantization.smk: original checkpoint + calibration texts -> quantized checkpoints.
# needs: <resources>/checkpoints/{model}/original
#        <results>/tasks/{task}/{queries.parquet,train/queries.parquet,train/documents.parquet},
#        or a text file or data set of the user's
# leaves: <results>/calibration/{model}/{precision}.parquet: the calibration texts
#         <results>/checkpoints/{model}/{precision}: the quantized checkpoint, quantization.json in it
#         <results>/perplexity/{model}/{precision}.json
#         <results>/tables/checkpoints.csv

from quantrag.engines.registry import perplexity_texts


rule choose_calibration_texts:
    """Choose the texts to calibrate on, none of them an evaluated query."""
    input:
        original=lambda wildcards: checkpoint_folder(wildcards.model),
        train_queries=lambda wildcards: train_tables(wildcards.precision, "queries"),
        train_documents=lambda wildcards: train_tables(wildcards.precision, "documents"),
        given=lambda wildcards: calibration_file(wildcards.precision),
        evaluated_queries=expand("<results>/tasks/{task}/queries.parquet", task=config["tasks"]),
    output:
        texts="<results>/calibration/{model}/{precision}.parquet",
    log:
        "<logs>/choose_calibration_texts/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/choose_calibration_texts/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=calibrated_precisions(),
    conda:
        "../../envs/prompts.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        tasks=lambda wildcards: {
            task: TASKS[task] for task in calibration_tasks(wildcards.precision)
        },
        style=config["prompts"]["style"],
        templates=lambda wildcards: [
            TEMPLATE_HASHES[task] for task in calibration_tasks(wildcards.precision)
        ],
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
        precision=precisions_made_by("gptqmodel"),
    conda:
        "../../envs/quantize.yaml"
    threads: 8
    resources:
        mem_mb=growing(24000),
        runtime=growing(240),
        gpu=gpus_of_small_jobs(),
    params:
        parameters=lambda wildcards: quantization_parameters(wildcards.precision),
        code=code("quantize_gptq.py"),
    script:
        "../scripts/quantize_gptq.py"


rule quantize_auto_gptq:
    """Quantize a model's original checkpoint with GPTQ, as in 2024: by AutoGPTQ, on a GPU."""
    input:
        original=lambda wildcards: checkpoint_folder(wildcards.model),
        texts="<results>/calibration/{model}/{precision}.parquet",
    output:
        checkpoint=directory("<results>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/quantize_auto_gptq/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/quantize_auto_gptq/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=precisions_made_by("auto-gptq"),
    conda:
        "../../envs/auto-gptq.yaml"
    threads: 8
    resources:
        mem_mb=growing(32000),
        runtime=growing(240),
        gpu=1,
    params:
        parameters=lambda wildcards: quantization_parameters(wildcards.precision),
        code=code("quantize_auto_gptq.py"),
    script:
        "../scripts/quantize_auto_gptq.py"


rule quantize_llm_compressor:
    """Quantize a model's original checkpoint with llm-compressor: AWQ, INT8 W8A8 or FP8."""
    input:
        original=lambda wildcards: checkpoint_folder(wildcards.model),
        texts="<results>/calibration/{model}/{precision}.parquet",
    output:
        checkpoint=directory("<results>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/quantize_llm_compressor/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/quantize_llm_compressor/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=precisions_made_by("llm-compressor"),
    conda:
        "../../envs/llm-compressor.yaml"
    threads: 8
    resources:
        mem_mb=growing(24000),
        runtime=growing(240),
        gpu=gpus_of_small_jobs(),
    params:
        method=lambda wildcards: PRECISIONS[wildcards.precision].method.name,
        parameters=lambda wildcards: quantization_parameters(wildcards.precision),
        venv=config["quantization"]["llm_compressor_venv"],
        code=code("quantize_llm_compressor.py", "quantrag/quantization/llm_compressor.py"),
    script:
        "../scripts/quantize_llm_compressor.py"


rule measure_perplexity:
    """Measure a checkpoint's perplexity on evaluated texts, which nothing was calibrated on."""
    input:
        checkpoint=lambda wildcards: checkpoint_of(wildcards.model, wildcards.precision),
        original=lambda wildcards: checkpoint_folder(wildcards.model),
        queries=expand("<results>/tasks/{task}/queries.parquet", task=config["tasks"]),
    output:
        perplexity="<results>/perplexity/{model}/{precision}.json",
    log:
        "<logs>/measure_perplexity/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/measure_perplexity/{model}/{precision}.tsv"
    conda:
        "../../envs/generate.yaml"
    threads: 2
    resources:
        mem_mb=growing(24000),
        runtime=growing(60),
        # Without texts no model is loaded.
        gpu=gpus_of_small_jobs() if perplexity_texts(config) else 0,
    params:
        dtype=lambda wildcards: PRECISIONS[wildcards.precision].dtype,
        quantize_on_load=lambda wildcards: PRECISIONS[wildcards.precision].quantize_on_load,
        published=lambda wildcards: PRECISIONS[wildcards.precision].published,
        texts=perplexity_texts(config),
        max_tokens=config["quantization"]["perplexity_tokens"],
        code=code("measure_perplexity.py"),
    script:
        "../scripts/measure_perplexity.py"


rule summarize_checkpoints:
    """Join sizes, perplexities and the errors of quantized layers to one table."""
    input:
        checkpoints=[checkpoint_of(*pair) for pair in measured_checkpoints()],
        perplexities=[
            f"<results>/perplexity/{model}/{precision}.json"
            for model, precision in measured_checkpoints()
        ],
    output:
        table="<results>/tables/checkpoints.csv",
    log:
        "<logs>/summarize_checkpoints.log",
    benchmark:
        "<benchmarks>/summarize_checkpoints.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        names=[
            (model, precision, PRECISIONS[precision].method.name)
            for model, precision in measured_checkpoints()
        ],
        code=code("summarize_checkpoints.py"),
    script:
        "../scripts/summarize_checkpoints.py"
