"""Download one of LaMP's JSON files; the checksum is recorded at the first time and kept to."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from functools import partial

    from quantrag.tasks.checksums import verify
    from quantrag.tasks.downloads import download_json

    url = snakemake.params.url
    download_json(
        url,
        snakemake.output.json,
        accept=partial(verify, url=url, lock_file=snakemake.params.checksums),
    )
