"""Build, pack and tokenize the prompts of one model, task and retriever."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import logging
    import os
    import sys
    import time

    # The tokenizers' own threads, read when they are first used.
    os.environ["RAYON_NUM_THREADS"] = str(snakemake.threads)
    # No tokenizer needs PyTorch; where transformers finds it, its import takes four times as long.
    sys.modules.setdefault("torch", None)

    from quantrag.checkpoints.folder import check_context, embedding_rows
    from quantrag.grid import K
    from quantrag.prompts.build import build_prompts, with_control_tokens
    from quantrag.prompts.chat_templates import ChatFormat, load_tokenizer
    from quantrag.prompts.order import DocumentOrder
    from quantrag.prompts.styles import make_style
    from quantrag.tables import read_arrow, write_table
    from quantrag.tasks.registry import load

    params = snakemake.params
    task = load(snakemake.wildcards.task, params.task)
    check_context(snakemake.input.checkpoint, params.context)
    chat = ChatFormat(
        load_tokenizer(snakemake.input.checkpoint, embedding_rows(snakemake.input.checkpoint)),
        chat_template=params.chat_template,
        system_role=params.system_role,
        name=snakemake.wildcards.model,
    )
    run = snakemake.input.get("run")
    style = make_style(params.wording, task.labels)
    started = time.monotonic()
    prompts = build_prompts(
        queries=read_arrow(snakemake.input.queries),
        documents=read_arrow(snakemake.input.documents),
        run=read_arrow(run) if run else None,
        ks=[K.parse(k) for k in params.ks],
        style=style,
        chat=chat,
        context=params.context,
        max_new_tokens=params.max_new_tokens,
        packing=params.packing,
        answers=task.labels,
        order=DocumentOrder(params.order, params.order_seed),
    )
    seconds = time.monotonic() - started
    log = logging.getLogger("build_prompts")
    log.info("%d prompts in %.1f s (%.0f/s)", len(prompts), seconds, len(prompts) / seconds)
    n_control = with_control_tokens(prompts, chat, style)
    if n_control:
        log.warning(
            "%d of %d prompts hold special tokens that documents or queries spell out; the model "
            "reads them as such",
            n_control,
            len(prompts),
        )
    write_table(
        prompts,
        snakemake.output.prompts,
        metadata={
            "style": params.wording["style"],
            "separator": style.separator,
            "order": params.order,
            "packing": params.packing,
            "add_special_tokens": str(chat.add_special_tokens).lower(),
            "system_role": "fold" if chat.folds else "keep",
            "with_control_tokens": str(n_control),
        },
    )
