# prompts.smk: rankings -> prompts, packed and tokenized for one model, on the CPU.
# needs: <results>/tasks/{task}/{queries,documents}.parquet, <results>/runs/{task}/{retriever}.parquet,
#        the tokenizer in the model's original checkpoint
# produces: <results>/prompts/{model}/{task}/{retriever}.parquet, k = 0 as retriever `none`


rule build_prompts:
    """Render, pack and tokenize one model's prompts for one task and retriever, for every k."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        run=branch(
            lambda wildcards: wildcards.retriever == NO_RETRIEVER,
            then=[],
            otherwise="<results>/runs/{task}/{retriever}.parquet",
        ),
        checkpoint=lambda wildcards: plan.checkpoints.original(wildcards.model),
    output:
        prompts="<results>/prompts/{model}/{task}/{retriever}.parquet",
    log:
        "<logs>/build_prompts/{model}/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/build_prompts/{model}/{task}/{retriever}.tsv"
    conda:
        "../../envs/prompts.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        wording=lambda wildcards: plan.tasks.wordings[wildcards.task],
        order=config["prompts"]["order"],
        order_seed=plan.order_seed,
        packing=config["prompts"]["packing"],
        task=lambda wildcards: plan.tasks.definitions[wildcards.task],
        ks=lambda wildcards: plan.ks_of(wildcards.retriever),
        context=lambda wildcards: config["models"][wildcards.model]["context"],
        chat_template=lambda wildcards: config["models"][wildcards.model]["chat_template"],
        system_role=lambda wildcards: config["models"][wildcards.model]["system_role"],
        max_new_tokens=config["generation"]["max_new_tokens"],
        code=plan.code("build_prompts.py"),
    script:
        "../scripts/build_prompts.py"
