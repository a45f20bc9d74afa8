# download.smk: LaMP's files from the project's server.
# needs: the network   leaves: <resources>/lamp/download/{users}/LaMP_{lamp}/{split}_{part}.json


rule download_lamp:
    """Download one of LaMP's JSON files, resuming where an earlier attempt stopped."""
    output:
        "<resources>/lamp/download/{users}/LaMP_{lamp}/{split}_{part}.json",
    log:
        "<logs>/download_lamp/{users}-LaMP_{lamp}-{split}_{part}.log",
    benchmark:
        "<benchmarks>/download_lamp/{users}-LaMP_{lamp}-{split}_{part}.tsv"
    wildcard_constraints:
        users="user|time",
        lamp="[1-57]",
        split="train|dev|test",
        part="questions|outputs",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=240,
    params:
        code=code("download_lamp.py"),
    script:
        "../scripts/download_lamp.py"
