"""What the rules look up about tasks."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from quantrag.config.experiment import Experiment
from quantrag.config.prompt_wordings import wordings
from quantrag.errors import UserError
from quantrag.tasks import registry
from quantrag.tasks.task import CORPUS, PROFILE


class TaskDefinitions:
    """Tasks of the configuration, and where their texts come from.

    Attributes:
        definitions: what each task is, by its name, as plain values; scripts make a `Task` of it.
        corpora: the names of the tasks whose queries all search one corpus.
        profiles: the names of the others, whose queries come with documents of their own.
    """

    def __init__(self, tasks: Mapping[str, BaseModel]) -> None:
        """Look up every task once.

        Args:
            tasks: the entries of the configuration's `tasks`.
        """
        self._entries = {name: task.model_dump() for name, task in tasks.items()}
        self.definitions = {
            name: registry.definition(entry) for name, entry in self._entries.items()
        }
        self._tasks = registry.load_all(self.definitions)
        self.corpora = [task.name for task in self._tasks if task.scope == CORPUS]
        self.profiles = [task.name for task in self._tasks if task.scope == PROFILE]

    def files(self, task: str, split: str | None = None) -> dict[str, str | list[str]]:
        """Files that a split is read from, by name; without a split it is the evaluated one."""
        return registry.input_files(self._entries[task], split or self._evaluated(task))

    def reader_files(self, task: str, split: str | None = None) -> list[str]:
        """Files whose code reads a split, beside what its rule's script imports."""
        return registry.reader_files(self._entries[task], split or self._evaluated(task))

    def reading(self, task: str, split: str | None = None) -> dict[str, Any]:
        """What decides how a split is read."""
        return registry.reading(self._entries[task], split or self._evaluated(task))

    def published(self, task: str, resources: str, split: str | None = None) -> dict[str, str]:
        """URL of each downloaded file of a split by its path.

        Args:
            task: name of the task.
            resources: folder that `<resources>` stands for.
            split: name of the split; None is the evaluated one.
        """
        split = split or self._evaluated(task)
        return registry.published_files(self._entries[task], split, resources)

    def _evaluated(self, task: str) -> str:
        # What isn't "train", where a kind of task has no names for its splits.
        return self._entries[task].get("split", "evaluated")


class TaskPlan(TaskDefinitions):
    """The tasks of an experiment whose answers are generated here.

    Attributes:
        wordings: each task's prompt templates, by its name. The hash of a rule's code covers only
            Python, so rules carry them as a parameter.
    """

    def __init__(self, experiment: Experiment) -> None:
        """Look up every task once.

        Raises:
            UserError: there are no prompt templates for a task, or wrong ones, a task lacks the
                parsing rule, or its files aren't there.
        """
        super().__init__(experiment.tasks)
        for name, entry in self._entries.items():
            splits = [CORPUS] if name in self.corpora else []
            try:
                for split in [*splits, self._evaluated(name)]:
                    registry.input_files(entry, split)
            except UserError as error:
                raise UserError(f"tasks.{name}.{error}") from None
        for task in self._tasks:
            task.check_rule(experiment.scoring.parsing)
        self.wordings = wordings(experiment.prompts, self._tasks)
