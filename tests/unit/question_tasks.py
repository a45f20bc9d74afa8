"""Tasks of questions over a shared corpus for tests, by their kind of answer."""

from quantrag.tasks.task import CORPUS, Cluster, Task


def question_task(answer: str, labels: tuple[str, ...] = (), name: str = "t") -> Task:
    return Task(
        name=name,
        dataset=f"questions-{answer}",
        scope=CORPUS,
        answer=answer,
        labels=labels,
        cluster=Cluster("question", "questions"),
    )
