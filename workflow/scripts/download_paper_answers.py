"""Download one of the authors' files; its checksum is recorded at the first time and kept to."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from pathlib import Path

    from quantrag.recorded.paper_answers import read_answers
    from quantrag.tasks.checksums import verify
    from quantrag.tasks.downloads import download

    params = snakemake.params

    def accept(path: Path) -> None:
        read_answers(path)
        verify(path, url=params.url, lock_file=params.checksums)

    download(params.url, snakemake.output.answers, accept)
