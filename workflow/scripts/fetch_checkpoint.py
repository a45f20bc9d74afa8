"""Bring a checkpoint into the workflow's folder: downloaded, or linked where it is on disk."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.checkpoints.folder import (
        fingerprint,
        link_files,
        new_checkpoint,
        new_folder,
        validate,
    )
    from quantrag.checkpoints.hub import download
    from quantrag.errors import UserError

    source = snakemake.params.source
    checks = snakemake.params.checks
    output = snakemake.output.checkpoint
    match source.get("kind"):
        case "huggingface":
            # Kept after an interruption: the next attempt goes on where this one stopped.
            revision = source["revision"].replace("/", "-")
            with new_checkpoint(output, revision, keep_partial=True, **checks) as folder:
                download(source["repo"], source["revision"], folder)
        case "folder":
            validate(source["folder"], **checks)
            with new_folder(output) as folder:
                link_files(source["folder"], folder)
                fingerprint(folder)
        case _:
            raise UserError(
                f"precisions.{snakemake.wildcards.precision}.checkpoints: no entry for the model "
                f"{snakemake.wildcards.model!r}; every model needs one."
            )
