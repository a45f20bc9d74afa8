# quantization.smk: original checkpoint + calibration texts -> quantized checkpoints.
# needs: <resources>/checkpoints/{model}/original
#        <results>/tasks/{task}/{queries.parquet,train/queries.parquet,train/documents.parquet},
#        or the documents of a corpus, or a text file or data set of the user's
# produces: <results>/calibration/{model}/{precision}.parquet: the calibration texts
#           <results>/checkpoints/{model}/{precision}: the quantized checkpoint, quantization.json in it
#           <results>/perplexity/{model}/{precision}.json
#           <results>/tables/checkpoints.csv


rule choose_calibration_texts:
    """Choose the texts to calibrate on, none of them an evaluated query."""
    input:
        original=lambda wildcards: plan.checkpoints.original(wildcards.model),
        train_queries=lambda wildcards: plan.checkpoints.train_tables(
            wildcards.precision, "queries"
        ),
        train_documents=lambda wildcards: plan.checkpoints.train_tables(
            wildcards.precision, "documents"
        ),
        corpora=lambda wildcards: plan.checkpoints.calibration_corpora(wildcards.precision),
        given=lambda wildcards: plan.checkpoints.calibration_file(wildcards.precision),
        evaluated_queries=plan.queries,
    output:
        texts="<results>/calibration/{model}/{precision}.parquet",
    log:
        "<logs>/choose_calibration_texts/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/choose_calibration_texts/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=plan.checkpoints.calibrated,
    conda:
        "../../envs/prompts.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        tasks=lambda wildcards: {
            task: plan.tasks.definitions[task]
            for task in plan.checkpoints.calibration_tasks(wildcards.precision)
        },
        wordings=lambda wildcards: [
            plan.tasks.wordings[task]
            for task in plan.checkpoints.calibration_tasks(wildcards.precision)
        ],
        calibration=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].calibration,
        context=lambda wildcards: config["models"][wildcards.model]["context"],
        chat_template=lambda wildcards: config["models"][wildcards.model]["chat_template"],
        system_role=lambda wildcards: config["models"][wildcards.model]["system_role"],
        seed=config["seed"],
        code=plan.code("choose_calibration_texts.py"),
    script:
        "../scripts/choose_calibration_texts.py"


rule quantize_gptq:
    """Quantize a model's original checkpoint with GPTQ, on the device that generation runs on."""
    input:
        original=lambda wildcards: plan.checkpoints.original(wildcards.model),
        texts="<results>/calibration/{model}/{precision}.parquet",
    output:
        checkpoint=directory("<results>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/quantize_gptq/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/quantize_gptq/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=plan.checkpoints.made_by("gptqmodel"),
    conda:
        "../../envs/quantize.yaml"
    threads: 8
    resources:
        mem_mb=growing(24000),
        runtime=growing(240),
        gpu=plan.gpus_of_small_jobs,
    params:
        parameters=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].parameters,
        code=plan.code("quantize_gptq.py"),
    script:
        "../scripts/quantize_gptq.py"


rule quantize_auto_gptq:
    """Quantize a model's original checkpoint with GPTQ, as in 2024: by AutoGPTQ, on a GPU."""
    input:
        original=lambda wildcards: plan.checkpoints.original(wildcards.model),
        texts="<results>/calibration/{model}/{precision}.parquet",
    output:
        checkpoint=directory("<results>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/quantize_auto_gptq/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/quantize_auto_gptq/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=plan.checkpoints.made_by("auto-gptq"),
    conda:
        "../../envs/auto-gptq.yaml"
    threads: 8
    resources:
        mem_mb=growing(32000),
        runtime=growing(240),
        gpu=1,
    params:
        parameters=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].parameters,
        code=plan.code("quantize_auto_gptq.py"),
    script:
        "../scripts/quantize_auto_gptq.py"


rule quantize_llm_compressor:
    """Quantize a model's original checkpoint with llm-compressor: AWQ, INT8 W8A8 or FP8."""
    input:
        original=lambda wildcards: plan.checkpoints.original(wildcards.model),
        texts="<results>/calibration/{model}/{precision}.parquet",
    output:
        checkpoint=directory("<results>/checkpoints/{model}/{precision}"),
    log:
        "<logs>/quantize_llm_compressor/{model}/{precision}.log",
    benchmark:
        "<benchmarks>/quantize_llm_compressor/{model}/{precision}.tsv"
    wildcard_constraints:
        precision=plan.checkpoints.made_by("llm-compressor"),
    conda:
        "../../envs/llm-compressor.yaml"
    threads: 8
    resources:
        mem_mb=growing(24000),
        runtime=growing(240),
        gpu=plan.gpus_of_small_jobs,
    params:
        method=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].method.name,
        parameters=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].parameters,
        venv=config["quantization"]["llm_compressor_venv"],
        code=plan.code("quantize_llm_compressor.py", "quantrag/quantization/llm_compressor.py"),
    script:
        "../scripts/quantize_llm_compressor.py"


rule measure_perplexity:
    """Measure a checkpoint's perplexity on evaluated texts, which nothing was calibrated on."""
    input:
        checkpoint=lambda wildcards: plan.checkpoints.folder(wildcards.model, wildcards.precision),
        original=lambda wildcards: plan.checkpoints.original(wildcards.model),
        queries=plan.queries,
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
        gpu=plan.gpus_of_small_jobs if plan.perplexity_texts else 0,
    params:
        dtype=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].dtype,
        quantize_on_load=lambda wildcards: plan.checkpoints.precisions[
            wildcards.precision
        ].quantize_on_load,
        published=lambda wildcards: plan.checkpoints.precisions[wildcards.precision].published,
        texts=plan.perplexity_texts,
        max_tokens=config["quantization"]["perplexity_tokens"],
        code=plan.code("measure_perplexity.py"),
    script:
        "../scripts/measure_perplexity.py"


rule summarize_checkpoints:
    """Join sizes, perplexities and the errors of quantized layers to one table."""
    input:
        checkpoints=[plan.checkpoints.folder(*pair) for pair in plan.checkpoints.pairs],
        perplexities=[
            f"<results>/perplexity/{model}/{precision}.json"
            for model, precision in plan.checkpoints.pairs
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
            (model, precision, plan.checkpoints.precisions[precision].method.name)
            for model, precision in plan.checkpoints.pairs
        ],
        code=plan.code("summarize_checkpoints.py"),
    script:
        "../scripts/summarize_checkpoints.py"
