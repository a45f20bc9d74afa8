"""Download one of LaMP's JSON files."""

from quantrag.jobs import job

with job(snakemake):
    from quantrag.downloads import download_json, lamp_url

    wildcards = snakemake.wildcards
    url = lamp_url(int(wildcards.lamp), wildcards.split, wildcards.part, wildcards.users)
    download_json(url, snakemake.output[0])
