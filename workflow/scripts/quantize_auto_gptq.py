"""Quantize a model's original checkpoint with GPTQ by the original AutoGPTQ."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import os
    from pathlib import Path

    # Read by the libraries when they are imported. Everything needed is on disk.
    os.environ["HF_HUB_OFFLINE"] = "1"

    import torch

    from quantrag.checkpoints.folder import new_checkpoint
    from quantrag.quantization.auto_gptq import quantize_auto_gptq
    from quantrag.tables import read_table

    torch.set_num_threads(snakemake.threads)
    texts = read_table(snakemake.input.texts, columns=["token_ids"])["token_ids"].tolist()
    with new_checkpoint(snakemake.output.checkpoint, chat_template=False, quantized=True) as folder:
        quantize_auto_gptq(
            Path(snakemake.input.original), folder, texts, snakemake.params.parameters
        )
