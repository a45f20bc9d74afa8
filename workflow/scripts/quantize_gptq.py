"""Quantize a model's original checkpoint with GPTQ."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import os
    from pathlib import Path

    # Read by the libraries when they are imported. Everything needed is on disk.
    os.environ["HF_HUB_OFFLINE"] = "1"
    # With fewer than two, GPTQModel 7.6 fails: its model loader takes two for itself.
    os.environ["GPTQMODEL_CPU_WORKERS"] = str(max(2, snakemake.threads))

    # Compiling takes a C++ compiler, fails in a folder with a space, and saves nothing here.
    os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")

    import torch

    from quantrag.checkpoints.folder import new_checkpoint
    from quantrag.quantization.checks import check_group_size
    from quantrag.tables import read_table

    torch.set_num_threads(snakemake.threads)
    original = Path(snakemake.input.original)
    parameters = snakemake.params.parameters
    # Before the slow imports: the likely mistakes.
    check_group_size(original, parameters["group_size"])
    texts = read_table(snakemake.input.texts, columns=["token_ids"])["token_ids"].tolist()

    from quantrag.quantization.gptq import quantize_gptq

    with new_checkpoint(snakemake.output.checkpoint, chat_template=False, quantized=True) as folder:
        device = "cuda" if snakemake.resources.gpu else "cpu"
        quantize_gptq(original, folder, texts, parameters, device)
