"""Choose the texts on which a model is calibrated, none of them an evaluated query."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import os
    import sys

    os.environ["HF_HUB_OFFLINE"] = "1"
    # No tokenizer needs PyTorch; where transformers finds it, its import takes four times as long.
    sys.modules.setdefault("torch", None)

    from quantrag.prompts.chat_templates import ChatFormat, load_tokenizer
    from quantrag.prompts.styles import make_style
    from quantrag.quantization.calibration import (
        TrainingTask,
        check_disjoint,
        choose_texts,
        load_evaluated,
    )
    from quantrag.quantization.calibration_sources import (
        choose_given_texts,
        read_corpora,
        read_dataset,
        read_lines,
    )
    from quantrag.tables import read_arrow, write_table
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    tasks = [
        TrainingTask(
            task.name,
            read_arrow(queries, columns=["query_id", "scope_id", "input", "query_text"]),
            read_arrow(documents, columns=["document_id", "scope_id", "text", "target"]),
            make_style(wording, task.labels),
        )
        for task, wording, queries, documents in zip(
            load_all(params.tasks),
            params.wordings,
            snakemake.input.train_queries,
            snakemake.input.train_documents,
            strict=True,
        )
    ]
    evaluated = load_evaluated(snakemake.input.evaluated_queries)
    chat = ChatFormat(
        load_tokenizer(snakemake.input.original),
        chat_template=params.chat_template,
        system_role=params.system_role,
        name=snakemake.wildcards.model,
    )
    calibration = params.calibration
    limits = {
        "count": calibration["count"],
        "max_tokens": min(calibration["max_tokens"], params.context),
        "seed": params.seed,
    }
    if calibration["source"] == "task":
        texts = choose_texts(tasks, evaluated, chat, documents=calibration["documents"], **limits)
        check_disjoint(texts, tasks, evaluated)
    else:
        if calibration["source"] == "corpus":
            given = read_corpora(snakemake.input.corpora)
        elif calibration["source"] == "file":
            given = read_lines(calibration["path"])
        else:
            keys = ("path", "revision", "subset", "split", "column")
            given = read_dataset(**{key: calibration[key] for key in keys})
        texts = choose_given_texts(given, evaluated, chat.tokenizer, **limits)
    write_table(texts, snakemake.output.texts)
