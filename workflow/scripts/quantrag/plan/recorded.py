"""The plan of an experiment whose answers were recorded elsewhere."""

from pathlib import Path
from typing import Any

from quantrag.config.recorded import RecordedExperiment
from quantrag.plan.products import ProductPlan
from quantrag.plan.tasks import TaskDefinitions
from quantrag.plan.wildcards import one_of
from quantrag.runtime.source_hash import source_hash


class RecordedPlan:
    """What is made from what, where no model runs here: as `Plan`, for the rules that remain.

    Attributes:
        experiment: the configuration.
        tasks: what concerns tasks.
        products: tables, figures and publication tables.
    """

    def __init__(self, experiment: RecordedExperiment, scripts: Path) -> None:
        """Look up what needs to be looked up once.

        Args:
            experiment: the configuration.
            scripts: folder of the rules' scripts and of the package.
        """
        self.experiment = experiment
        self.scripts = scripts
        self.tasks = TaskDefinitions(experiment.tasks)
        self.products = ProductPlan(experiment)

    @property
    def constraints(self) -> dict[str, str]:
        """What the wildcards that all rules share may stand for."""
        return {"task": one_of(self.experiment.tasks)}

    def code(self, *files: str) -> str:
        """Content hash of a script and of the quantrag modules that it imports."""
        return source_hash([self.scripts / file for file in files], self.scripts)

    def systems(self, task: str) -> list[dict[str, Any]]:
        """Whose answers to a task lie in which files: model, precision, retriever, k, files."""
        return [
            {**{key: value for key, value in system.items() if key != "task"}, "files": files}
            for system, files in self.experiment.systems()
            if system["task"] == task
        ]

    def files(self, task: str) -> list[str]:
        """The files with the answers to a task, and with its items where those lie apart."""
        items = self.experiment.recorded.items
        return [
            *(f for system in self.systems(task) for f in system["files"]),
            *filter(None, [items]),
        ]

    def queries_of(self, task: str) -> list[str]:
        """The task's own queries, where the answers don't bring them."""
        own = self.experiment.tasks[task].kind == "recorded"
        return [] if own else [f"<results>/tasks/{task}/queries.parquet"]

    def scores(self) -> list[str]:
        """The per-item scores of every task."""
        return self._of_tasks("scores")

    def answers(self) -> list[str]:
        """The texts of every task."""
        return self._of_tasks("answers")

    def items(self) -> list[str]:
        """The items of every task."""
        return self._of_tasks("items")

    def _of_tasks(self, folder: str) -> list[str]:
        return [f"<results>/{folder}/{task}.parquet" for task in self.experiment.tasks]
