"""The root of a configuration whose answers were recorded elsewhere."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from quantrag.config.messages import choices
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.recorded.settings import RecordedSettings, RecordedTask
from quantrag.scoring.settings import ScoringSettings
from quantrag.section import Integer, Name, Section, shown
from quantrag.statistics.settings import StatisticsSettings
from quantrag.tasks.settings import LampTask


class RecordedExperiment(Section):
    """One experiment whose answers other programs gave: no model runs, everything from scoring on
    does."""

    experiment: Name = Field(
        description="Name of the experiment; its results lie in `results/<experiment>/`."
    )
    seed: Integer = Field(
        0, ge=0, description="Seed of the bootstrap and of the explorer's sample."
    )
    tasks: dict[Name, Annotated[RecordedTask | LampTask, Field(discriminator="kind")]] = Field(
        min_length=1, description="The tasks, by name. The name is a folder of the results."
    )
    baseline: str = Field(description="The precision that every other one is compared with.")
    recorded: RecordedSettings = Field(description="The answers, and whose they are.")
    scoring: ScoringSettings = Field(default_factory=ScoringSettings)
    statistics: StatisticsSettings = Field(default_factory=StatisticsSettings)

    def systems(self) -> list[tuple[dict[str, str], list[str]]]:
        """Model, precision, task, retriever and k of every system, with its files."""
        return [system for result in self.recorded.results for system in result.systems()]

    def names(self, key: str) -> list[str]:
        """The different models, precisions, tasks, retrievers or ks, in the order of the config."""
        return list(dict.fromkeys(system[key] for system, _ in self.systems()))


def inconsistencies(experiment: RecordedExperiment) -> Iterator[tuple[list[str], str]]:
    """What no section can say by itself, since it concerns several. Yields (path, message)."""
    precisions = [name for name in experiment.names("precision") if name != NOISE_FLOOR]
    if experiment.baseline not in precisions:
        message = f"no results at the precision {shown(experiment.baseline)}"
        yield ["baseline"], message + choices(experiment.baseline, precisions)
    seen: dict[tuple[str, ...], int] = {}
    for number, result in enumerate(experiment.recorded.results):
        path = ["recorded", "results", str(number)]
        for system, _ in result.systems():
            if system["task"] not in experiment.tasks:
                message = f"unknown task {shown(system['task'])}"
                yield [*path, "task"], message + choices(system["task"], experiment.tasks)
            if (system["k"] == "0") != (system["retriever"] == NO_RETRIEVER):
                message = f"k = {system['k']} with the retriever {shown(system['retriever'])}"
                yield path, f"{message}. Allowed: k = 0 without a retriever, every other with one"
            key = tuple(system.values())
            if key in seen:
                yield path, f"{', '.join(key[:3])} stands already in results.{seen[key]}"
            seen[key] = number
    answered = experiment.names("task")
    for task in experiment.tasks:
        if task not in answered:
            yield ["tasks", task], "there are no results of it in recorded.results"
