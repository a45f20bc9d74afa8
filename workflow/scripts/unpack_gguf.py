"""Unpack a GGUF file from an installed package to a Hugging Face checkpoint."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import os

    # Everything needed is on disk; without this, libraries try to reach the hub.
    os.environ["HF_HUB_OFFLINE"] = "1"

    import torch

    from quantrag.checkpoints.folder import new_checkpoint
    from quantrag.checkpoints.gguf import find_package_file, unpack_gguf

    torch.set_num_threads(snakemake.threads)
    source = snakemake.params.source
    path = find_package_file(source["package"], source["file"])
    with new_checkpoint(snakemake.output.checkpoint, **snakemake.params.checks) as folder:
        unpack_gguf(path, folder)
