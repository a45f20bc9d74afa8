# tasks.smk: a task's files -> queries and documents as tables.
# needs: a task's files (of LaMP: questions and outputs, downloaded, local or the demo set written here;
#        of questions: a corpus and the questions, the user's own)
# produces: <results>/tasks/{task}/{queries,documents}.parquet: the evaluated split
#           <results>/tasks/{task}/train/{queries,documents}.parquet: the train split (of questions: what is held out), for calibration


rule write_demo_data:
    """Write one split of the demo set of a LaMP task; the path holds its parameters."""
    output:
        questions="<resources>/lamp/demo/LaMP_{lamp}-users{users}-profile{smallest}to{largest}-seed{seed}/{split}_questions.json",
        outputs="<resources>/lamp/demo/LaMP_{lamp}-users{users}-profile{smallest}to{largest}-seed{seed}/{split}_outputs.json",
    log:
        "<logs>/write_demo_data/LaMP_{lamp}-users{users}-profile{smallest}to{largest}-seed{seed}-{split}.log",
    benchmark:
        "<benchmarks>/write_demo_data/LaMP_{lamp}-users{users}-profile{smallest}to{largest}-seed{seed}-{split}.tsv"
    wildcard_constraints:
        lamp="[0-9]+",
        users="[0-9]+",
        smallest="[0-9]+",
        largest="[0-9]+",
        seed="[0-9]+",
        split="train|dev|test",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=plan.code("write_demo_data.py"),
    script:
        "../scripts/write_demo_data.py"


rule prepare_task:
    """Read the evaluated split of one task, check it and write it as tables."""
    input:
        unpack(lambda wildcards: task_files(wildcards.task)),
    output:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
    log:
        "<logs>/prepare_task/{task}.log",
    benchmark:
        "<benchmarks>/prepare_task/{task}.tsv"
    conda:
        # Of each task its own, so that one doesn't run again because another is added.
        lambda wildcards: (
            "../../envs/corpus.yaml"
            if wildcards.task in plan.tasks.corpora
            else "../../envs/data.yaml"
        )
    threads: 1
    resources:
        mem_mb=growing(4000),
        # 1,000,000 passages take 1 GB; to cut them from files takes half an hour.
        runtime=growing(90),
    params:
        task=lambda wildcards: plan.tasks.reading(wildcards.task),
        published=lambda wildcards: plan.tasks.published(wildcards.task, RESOURCES),
        checksums=CHECKSUMS,
        code=lambda wildcards: plan.code(
            "prepare_task.py", *plan.tasks.reader_files(wildcards.task)
        ),
    script:
        "../scripts/prepare_task.py"


use rule prepare_task as prepare_training_split with:
    input:
        unpack(lambda wildcards: task_files(wildcards.task, "train")),
    output:
        queries="<results>/tasks/{task}/train/queries.parquet",
        documents="<results>/tasks/{task}/train/documents.parquet",
    log:
        "<logs>/prepare_training_split/{task}.log",
    benchmark:
        "<benchmarks>/prepare_training_split/{task}.tsv"
    params:
        task=lambda wildcards: plan.tasks.reading(wildcards.task, "train"),
        published=lambda wildcards: plan.tasks.published(wildcards.task, RESOURCES, "train"),
        checksums=CHECKSUMS,
        code=lambda wildcards: plan.code(
            "prepare_task.py", *plan.tasks.reader_files(wildcards.task)
        ),
