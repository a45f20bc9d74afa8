# download.smk: LaMP's files from the project's server.
# needs: the network
# produces: <resources>/lamp/download/{users}/LaMP_{lamp}/{split}_{part}.json
#           a line in config/checksums.tsv for each file that arrived for the first time


from quantrag.tasks.lamp_files import lamp_url


rule download_lamp:
    """Download one of LaMP's JSON files, resuming where an earlier attempt stopped."""
    output:
        json="<resources>/lamp/download/{users}/LaMP_{lamp}/{split}_{part}.json",
    log:
        "<logs>/download_lamp/{users}-LaMP_{lamp}-{split}_{part}.log",
    benchmark:
        "<benchmarks>/download_lamp/{users}-LaMP_{lamp}-{split}_{part}.tsv"
    wildcard_constraints:
        users="user|time",
        lamp="[0-9]+",
        split="train|dev|test",
        part="questions|outputs",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(240),
    params:
        # No code here: a new version of the program is not a reason to download gigabytes again.
        url=lambda wildcards: lamp_url(
            int(wildcards.lamp), wildcards.split, wildcards.part, wildcards.users
        ),
        checksums=CHECKSUMS,
    script:
        "../scripts/download_lamp.py"
