# tasks.smk: a task's files -> queries and documents as tables.
# needs: a task's files (of LaMP: questions and outputs, downloaded, local or the demo set written here;
#        of questions: a corpus and the questions, the user's own)
# produces: <results>/tasks/{task}/{queries,documents}.parquet: the evaluated split; of a shared corpus by two rules
#           <results>/tasks/{task}/train/{queries,documents}.parquet: the train split (of questions: what is held out), for calibration

from quantrag.plan.wildcards import one_of
from quantrag.tasks.task import CORPUS


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
    wildcard_constraints:
        task=one_of(plan.tasks.profiles),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        task=lambda wildcards: plan.tasks.reading(wildcards.task),
        published=lambda wildcards: plan.tasks.published(wildcards.task, RESOURCES),
        checksums=CHECKSUMS,
        code=plan.code("prepare_task.py"),
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
        code=plan.code("prepare_task.py"),


rule prepare_corpus:
    """Read the documents that all questions of a task search. A changed question reads none again."""
    input:
        unpack(lambda wildcards: task_files(wildcards.task, CORPUS)),
    output:
        documents="<results>/tasks/{task}/documents.parquet",
    log:
        "<logs>/prepare_corpus/{task}.log",
    benchmark:
        "<benchmarks>/prepare_corpus/{task}.tsv"
    wildcard_constraints:
        task=one_of(plan.tasks.corpora),
    conda:
        "../../envs/corpus.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        # 1,000,000 passages take 1 GB; to cut them from files takes half an hour.
        runtime=growing(90),
    params:
        task=lambda wildcards: plan.tasks.reading(wildcards.task, CORPUS),
        published={},
        checksums=CHECKSUMS,
        code=lambda wildcards: plan.code(
            "prepare_task.py", *plan.tasks.reader_files(wildcards.task, CORPUS)
        ),
    script:
        "../scripts/prepare_task.py"


use rule prepare_corpus as prepare_questions with:
    input:
        unpack(lambda wildcards: task_files(wildcards.task)),
        documents="<results>/tasks/{task}/documents.parquet",
    output:
        queries="<results>/tasks/{task}/queries.parquet",
    log:
        "<logs>/prepare_questions/{task}.log",
    benchmark:
        "<benchmarks>/prepare_questions/{task}.tsv"
    # Report wrong questions before hours go into encoding.
    priority: 1
    params:
        task=lambda wildcards: plan.tasks.reading(wildcards.task),
        published={},
        checksums=CHECKSUMS,
        code=lambda wildcards: plan.code(
            "prepare_task.py", *plan.tasks.reader_files(wildcards.task)
        ),


use rule prepare_corpus as prepare_held_out_questions with:
    input:
        unpack(lambda wildcards: task_files(wildcards.task, "train")),
        documents="<results>/tasks/{task}/documents.parquet",
    output:
        queries="<results>/tasks/{task}/train/queries.parquet",
        documents="<results>/tasks/{task}/train/documents.parquet",
    log:
        "<logs>/prepare_held_out_questions/{task}.log",
    benchmark:
        "<benchmarks>/prepare_held_out_questions/{task}.tsv"
    params:
        task=lambda wildcards: plan.tasks.reading(wildcards.task, "train"),
        published={},
        checksums=CHECKSUMS,
        code=lambda wildcards: plan.code(
            "prepare_task.py", *plan.tasks.reader_files(wildcards.task, "train")
        ),
