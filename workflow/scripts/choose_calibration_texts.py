"""Choose train-split queries and render them as the prompts on which a model is calibrated."""

from quantrag.jobs import job

with job(snakemake):
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"

    from quantrag.calibration import (
        check_disjoint,
        choose_texts,
        load_evaluated,
        load_training_task,
    )
    from quantrag.tables import write_table

    tasks = [
        load_training_task(name, queries, documents)
        for name, queries, documents in zip(
            snakemake.params.tasks,
            snakemake.input.train_queries,
            snakemake.input.train_documents,
            strict=True,
        )
    ]
    evaluated = load_evaluated(snakemake.input.evaluated_queries)
    calibration = snakemake.params.calibration
    texts = choose_texts(
        tasks,
        evaluated,
        snakemake.input.original,
        count=calibration["count"],
        max_tokens=min(calibration["max_tokens"], snakemake.params.context),
        documents=calibration["documents"],
        chat_template=snakemake.params.chat_template == "model",
        seed=snakemake.params.seed,
    )
    check_disjoint(texts, tasks, evaluated)
    write_table(texts, snakemake.output.texts)
