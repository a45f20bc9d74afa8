"""Download one of LaMP's JSON files."""

from quantrag.jobs import job

with job(snakemake):
    from quantrag.downloads import download_json

    download_json(snakemake.params.url, snakemake.output.json)
