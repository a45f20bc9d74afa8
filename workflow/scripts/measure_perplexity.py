"""Measure a checkpoint's perplexity on evaluated texts, which no precision is calibrated on."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import json
    import logging
    import os
    from pathlib import Path

    os.environ["HF_HUB_OFFLINE"] = "1"

    from quantrag.checkpoints.folder import weight_bytes
    from quantrag.tables import read_table, write_text

    params = snakemake.params
    checkpoint = Path(snakemake.input.checkpoint)
    result = {"perplexity": None, "tokens": 0, "weight_bytes": weight_bytes(checkpoint)}
    if params.texts:
        import torch
        from transformers import AutoTokenizer

        from quantrag.checkpoints.loading import load_model
        from quantrag.checkpoints.number_formats import computation_dtype
        from quantrag.errors import UserError
        from quantrag.quantization.perplexity import held_out_texts, perplexity

        torch.set_num_threads(snakemake.threads)
        queries = snakemake.input.queries
        inputs = [read_table(path, columns=["query_text"])["query_text"] for path in queries]
        tokenizer = AutoTokenizer.from_pretrained(snakemake.input.original, local_files_only=True)
        texts = held_out_texts(inputs, tokenizer, params.texts, params.max_tokens)
        device = "cuda" if snakemake.resources.gpu else "cpu"
        try:
            dtype = computation_dtype(params.dtype, snakemake.input.original, device)
            model = load_model(checkpoint, dtype, device, quantize=params.quantize_on_load)
        except UserError as error:
            # vLLM runs formats that transformers can't load here: the table has a gap then.
            if not params.published:
                raise
            logging.warning("no perplexity: %s", error)
        else:
            result["perplexity"], result["tokens"] = perplexity(model, texts)
    write_text(json.dumps(result) + "\n", snakemake.output.perplexity)
