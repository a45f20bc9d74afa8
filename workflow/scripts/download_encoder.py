"""Download an encoder at a pinned revision."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.checkpoints.folder import new_folder
    from quantrag.checkpoints.hub import download

    source = snakemake.params.source
    # Kept after an interruption: the next attempt goes on where this one stopped.
    with new_folder(snakemake.output.encoder, partial="partial", keep_partial=True) as folder:
        download(source["repo"], source["revision"], folder)
