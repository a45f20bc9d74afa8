"""Everything that the rules look up, made once from the configuration."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from quantrag.config.experiment import Experiment
from quantrag.engines.registry import ENGINES, perplexity_texts
from quantrag.grid import K, cells_of, ks_of, retrievers_with_none
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.plan.checkpoints import CheckpointPlan
from quantrag.plan.products import ProductPlan
from quantrag.plan.retrieval import RetrievalPlan
from quantrag.plan.tasks import TaskPlan
from quantrag.plan.wildcards import one_of
from quantrag.runtime.source_hash import source_hash


class Plan:
    """What is made from what in one experiment.

    Paths begin with `<results>` or `<resources>`, which Snakemake replaces. Whatever rules hand to
    their scripts is made of plain values, since Snakemake compares parameters by their
    representation.

    Attributes:
        experiment: the configuration.
        tasks: what concerns tasks.
        retrieval: what concerns retrievers.
        checkpoints: what concerns models and precisions.
        products: tables, figures and publication tables.
        ks: the values of k, in the order of the config.
        cells: every `{task}/{retriever}/k{k}` of the grid.
        precisions: the precisions, and the baseline's second pass where a noise floor is asked for.
    """

    def __init__(self, experiment: Experiment, scripts: Path) -> None:
        """Look up what needs to be looked up once.

        Args:
            experiment: the configuration.
            scripts: folder of the rules' scripts and of the package.

        Raises:
            UserError: what the tasks need is missing or wrong (`TaskPlan`).
        """
        self.experiment = experiment
        self.scripts = scripts
        self.tasks = TaskPlan(experiment)
        self.retrieval = RetrievalPlan(experiment)
        self.checkpoints = CheckpointPlan(experiment)
        made_here = any(one.made_here for one in self.checkpoints.precisions.values())
        self.products = ProductPlan(
            experiment, quantizes=made_here, corpora=bool(self.tasks.corpora)
        )
        self.ks = [K.parse(k) for k in experiment.k]
        grid = cells_of(experiment.tasks, experiment.retrievers, self.ks)
        self.cells = [str(cell) for cell in grid]
        self.precisions = [
            *experiment.precisions,
            *([NOISE_FLOOR] if experiment.noise_floor else []),
        ]
        self._engine = ENGINES[experiment.generation.engine]

    @property
    def constraints(self) -> dict[str, str]:
        """What the wildcards that all rules share may stand for."""
        return {
            "task": one_of(self.experiment.tasks),
            "retriever": one_of([*self.experiment.retrievers, NO_RETRIEVER]),
            "model": one_of(self.experiment.models),
            "precision": one_of(self.precisions),
        }

    def code(self, *files: str) -> str:
        """Content hash of a script and of the quantrag modules that it imports.

        A module that is imported by name (an engine, a program of its own) is named beside the
        script.
        """
        return source_hash([self.scripts / file for file in files], self.scripts)

    def ks_of(self, retriever: str) -> list[str]:
        """The values of k that a retriever's prompts are built for."""
        return [str(k) for k in ks_of(retriever, self.ks)]

    @property
    def queries(self) -> list[str]:
        """The evaluated queries of every task."""
        return [f"<results>/tasks/{task}/queries.parquet" for task in self.experiment.tasks]

    def runs(
        self,
        pattern: str = "<results>/runs/{task}/{retriever}.parquet",
        tasks: Iterable[str] | None = None,
    ) -> list[str]:
        """A file per task (else of all) and retriever, task by task in their order."""
        return [
            pattern.format(task=task, retriever=retriever)
            for task in (self.experiment.tasks if tasks is None else tasks)
            for retriever in self.experiment.retrievers
        ]

    def prompts(self, *models: str, tasks: Iterable[str] | None = None) -> list[str]:
        """Prompts of some models and tasks (else of all), of each retriever; `none` for k = 0."""
        retrievers = retrievers_with_none(self.experiment.retrievers, self.ks)
        return [
            f"<results>/prompts/{model}/{task}/{retriever}.parquet"
            for model in models or self.experiment.models
            for task in (self.experiment.tasks if tasks is None else tasks)
            for retriever in retrievers
        ]

    def prompts_with_evidence(self, *models: str) -> list[str]:
        """As `prompts`, of the tasks whose questions may say which documents answer them."""
        return self.prompts(*models, tasks=self.tasks.corpora)

    def completions(self) -> list[str]:
        """The completions of every model, precision and cell."""
        return [
            f"<results>/completions/{model}/{precision}/{cell}.parquet"
            for model, precision in self._runs_of_models()
            for cell in self.cells
        ]

    def completions_of_job(self) -> list[str]:
        """The completions of one job, with its wildcards `model` and `precision`."""
        return [
            f"<results>/completions/{{model}}/{{precision}}/{cell}.parquet" for cell in self.cells
        ]

    def scored_answers(self, model: str, precision: str) -> list[str]:
        """Completions of a model's baseline whose answers are scored at another precision."""
        baseline = self.experiment.baseline
        if self.experiment.generation.likelihood != "gold+baseline" or precision == baseline:
            return []
        return [f"<results>/completions/{model}/{baseline}/{cell}.parquet" for cell in self.cells]

    def scores(self) -> list[str]:
        """The per-query scores of every model and precision."""
        return [f"<results>/scores/{m}/{p}.parquet" for m, p in self._runs_of_models()]

    def costs(self, *, noise_floor: bool) -> list[str]:
        """What each model and precision took, with or without the second pass of the baseline."""
        return [
            f"<results>/costs/{model}/{precision}.json"
            for model, precision in self._runs_of_models()
            if noise_floor or precision != NOISE_FLOOR
        ]

    def _runs_of_models(self) -> list[tuple[str, str]]:
        return [(m, p) for m in self.experiment.models for p in self.precisions]

    @property
    def on_cpu(self) -> bool:
        """Whether the experiment runs without GPUs."""
        return self.experiment.generation.device == "cpu"

    @property
    def gpus_of_small_jobs(self) -> int:
        """GPUs of a job that encodes or quantizes on the device of the experiment."""
        return 0 if self.on_cpu else 1

    @property
    def gpus_of_generation(self) -> int:
        """GPUs of one `generate` job: none on a CPU, or when the model runs behind a server."""
        generation = self.experiment.generation.model_dump()
        return 0 if self.on_cpu else self._engine.gpus(generation[self._engine.name])

    @property
    def order_seed(self) -> int | None:
        """Seed of the order of prompts' documents, where it is random."""
        return self.experiment.seed if self.experiment.prompts.order == "random" else None

    @property
    def perplexity_texts(self) -> int:
        """Texts of each task that perplexity is measured on; without any no model is loaded."""
        return perplexity_texts(self.experiment.model_dump())

    @property
    def generation(self) -> dict[str, Any]:
        """The section `generation` without the settings of engines that are not used."""
        unused = ENGINES.keys() - {self._engine.name}
        return self.experiment.generation.model_dump(exclude=unused)

    @property
    def engine_file(self) -> str:
        """The module of the engine, which `generate` imports by its name."""
        return self._engine.source_file


def growing(amount: int) -> Callable[[Any, int], int]:
    """A resource of which a job that was killed gets more at its next attempt."""
    return lambda wildcards, attempt: amount * attempt
