"""Write one split of the demo set of a LaMP task."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.tasks.demo.splits import demo_split, write_split

    wildcards = snakemake.wildcards
    questions, outputs = demo_split(
        int(wildcards.lamp),
        wildcards.split,
        n_users=int(wildcards.users),
        profile_sizes=(int(wildcards.smallest), int(wildcards.largest)),
        seed=int(wildcards.seed),
    )
    write_split(questions, outputs, snakemake.output.questions, snakemake.output.outputs)
