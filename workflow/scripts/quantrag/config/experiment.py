"""The typed root of the configuration."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from pydantic import AfterValidator, Field

from quantrag import grid
from quantrag.checkpoints.settings import ModelSettings
from quantrag.config.messages import choices
from quantrag.generation.settings import GenerationSettings
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.prompts.settings import PromptSettings
from quantrag.quantization.precisions import Precision
from quantrag.quantization.settings import AnyPrecision, PublishedSettings, QuantizationSettings
from quantrag.retrieval.settings import INPUT_KEYS, RetrieverSettings, inputs_of
from quantrag.scoring.settings import ScoringSettings
from quantrag.section import Integer, K, Line, Name, Section, different, shown, unreserved
from quantrag.statistics.settings import StatisticsSettings
from quantrag.tasks import registry
from quantrag.tasks.settings import TaskSettings
from quantrag.tasks.task import CORPUS

#: Documents of a shared corpus that a ranking keeps at least where the configuration doesn't say.
CORPUS_DEPTH = 100


class EstimateSettings(Section):
    """What `snakemake --cores 1 estimate` reckons with; it decides nothing else."""

    gpu: Line = Field(
        "A100-80GB", description="The card, a key of `gpus` in `config/estimate.yaml`."
    )


class Experiment(Section):
    """One experiment: tasks x models x precisions x retrievers x k. Every key is optional unless
    it is marked as required; an unknown key is an error."""

    experiment: Name = Field(
        description="Name of the experiment; its results lie in `results/<experiment>/`."
    )
    seed: Integer = Field(
        0,
        ge=0,
        description="Seed of everything drawn at random (calibration texts, bootstrap, orders).",
    )
    tasks: dict[Name, TaskSettings] = Field(
        min_length=1, description="The tasks, by name. The name is a folder of the results."
    )
    retrievers: dict[Annotated[Name, unreserved({NO_RETRIEVER})], RetrieverSettings] = Field(
        min_length=1,
        description="The retrievers, by name. The name `none` is reserved for prompts without "
        "documents (k = 0).",
    )
    retrieval_depth: Integer | None = Field(
        None,
        ge=1,
        description="How many documents of each ranking are kept in the run files; `null` keeps "
        "the whole profile, which `max_nK` needs, and of a shared corpus the first 100, or as many "
        "as the largest k in `k`.",
    )
    models: dict[Name, ModelSettings] = Field(min_length=1, description="The models, by name.")
    precisions: dict[Annotated[Name, unreserved({"original", NOISE_FLOOR})], AnyPrecision] = Field(
        min_length=1,
        description="The precisions, by name. The names `original` and `noise-floor` are reserved.",
    )
    baseline: str = Field(
        description="The precision that every other one is compared with; a key of `precisions`."
    )
    k: Annotated[list[K], AfterValidator(different)] = Field(
        ["0", "1", "3", "5", "max_4K", "max_8K"],
        min_length=1,
        json_schema_extra={
            "uniqueItems": True,
            "default": [0, 1, 3, 5, "max_4K", "max_8K"],
        },
        description="How many retrieved documents go into the prompt: a number, or `max_nK` for as "
        "many whole documents as fit into n * 1024 tokens (never more than the model's context) "
        "beside the answer.",
    )
    prompts: PromptSettings = Field(default_factory=PromptSettings)
    quantization: QuantizationSettings = Field(default_factory=QuantizationSettings)
    generation: GenerationSettings = Field(default_factory=GenerationSettings)
    noise_floor: bool = Field(
        True,
        description="Generate the baseline a second time in another batch order, to show how many "
        "answers differ for no reason but floating-point arithmetic.",
    )
    scoring: ScoringSettings = Field(default_factory=ScoringSettings)
    statistics: StatisticsSettings = Field(default_factory=StatisticsSettings)
    estimate: EstimateSettings = Field(default_factory=EstimateSettings)

    @property
    def largest_k(self) -> int:
        """The largest k that is a number; 0 where there is none."""
        ks = map(grid.K.parse, self.k)
        return max((k.number for k in ks if not k.fills), default=0)

    @property
    def scopes(self) -> dict[str, str]:
        """What the queries of each task search, by its name."""
        return {
            name: registry.load(name, entry.model_dump()).scope
            for name, entry in self.tasks.items()
        }

    def depth(self, scope: str) -> int | None:
        """How many documents of a ranking are kept; None keeps all.

        Args:
            scope: what the queries search, `PROFILE` or `CORPUS` of `quantrag.tasks.task`.
        """
        if self.retrieval_depth is None and scope == CORPUS:
            return max(CORPUS_DEPTH, self.largest_k)
        return self.retrieval_depth


def inconsistencies(experiment: Experiment) -> Iterator[tuple[list[str], str]]:
    """What no section can say by itself, since it concerns several. Yields (path, message)."""
    yield from _mistakes_of_retrievers(experiment)
    precisions, generation = experiment.precisions, experiment.generation
    if experiment.baseline not in precisions:
        message = f"unknown precision {shown(experiment.baseline)}"
        yield ["baseline"], message + choices(experiment.baseline, precisions)
    if all(k == "0" for k in experiment.k):
        yield ["k"], "only 0: nothing would be retrieved. Allowed: at least one k above 0"
    if experiment.retrieval_depth is not None and experiment.largest_k > experiment.retrieval_depth:
        allowed = f"at most retrieval_depth, {experiment.retrieval_depth}"
        yield ["k"], f"{experiment.largest_k} is too large. Allowed: {allowed}"
    for model, entry in experiment.models.items():
        if generation.max_new_tokens >= entry.context:
            allowed = f"less than the context of {model}, {entry.context}"
            message = f"{generation.max_new_tokens} is too large. Allowed: {allowed}"
            yield ["generation", "max_new_tokens"], message
    with_corpus = [name for name, task in experiment.tasks.items() if task.kind == "questions"]
    for name, entry in precisions.items():
        path = ["precisions", name]
        support = Precision.of(name, entry.model_dump()).support(
            generation.engine, generation.device
        )
        if support.refusal:
            yield path, support.refusal
        calibration = getattr(entry, "calibration", None)
        for task in (calibration and calibration.tasks) or []:
            if task not in experiment.tasks:
                message = f"unknown task {shown(task)}" + choices(task, experiment.tasks)
                yield [*path, "calibration", "tasks"], message
        for task in with_corpus if calibration and calibration.source == "task" else ():
            taken = calibration.tasks is None or task in calibration.tasks
            if taken and not experiment.tasks[task].held_out:
                message = f"0, but {name} is calibrated on what is held out of the questions"
                allowed = f"more than 0, or another precisions.{name}.calibration.source (corpus)"
                yield ["tasks", task, "held_out"], f"{message}. Allowed: {allowed}"
        if calibration and calibration.source == "corpus":
            if not with_corpus:
                message = "corpus, but there is no task of kind questions"
                yield [*path, "calibration", "source"], f"{message}. Allowed: task, file, dataset"
            for task in calibration.tasks or []:
                if with_corpus and task in experiment.tasks and task not in with_corpus:
                    message = f"{task} has no corpus. Allowed: {', '.join(with_corpus)}"
                    yield [*path, "calibration", "tasks"], message
        if isinstance(entry, PublishedSettings):
            path.append("checkpoints")
            for model in entry.checkpoints:
                if model not in experiment.models:
                    message = f"unknown model {shown(model)}" + choices(model, experiment.models)
                    yield [*path, model], message
            missing = sorted(experiment.models.keys() - entry.checkpoints)
            if missing:
                yield path, f"no checkpoint of {', '.join(missing)}. Every model needs one"


def _mistakes_of_retrievers(experiment: Experiment) -> Iterator[tuple[list[str], str]]:
    """What retrievers don't go with. Yields (path, message)."""
    scopes = experiment.scopes
    corpora = [task for task, scope in scopes.items() if scope == CORPUS]
    profiles = [task for task in scopes if task not in corpora]
    depths = [depth for depth in map(experiment.depth, scopes.values()) if depth is not None]
    kept = min(depths, default=None)
    entries = {name: entry.model_dump() for name, entry in experiment.retrievers.items()}
    taken = {name: inputs_of(entry) for name, entry in entries.items()}
    for name, entry in experiment.retrievers.items():
        if entry.kind == "okapi" and corpora:
            message = f"okapi is for profiles, and {corpora[0]} has a shared corpus. Take lucene"
            yield ["retrievers", name, "kind"], message
        if entry.kind == "order" and entry.by == "recency" and corpora:
            message = f"recency is for profiles, and {corpora[0]} has a shared corpus"
            yield ["retrievers", name, "by"], f"{message}. Allowed: random"
        if entry.kind == "rerank" and kept is not None and entry.depth > kept:
            message = f"{entry.depth} is too large. Allowed: at most the documents that a ranking "
            yield ["retrievers", name, "depth"], f"{message}keeps, {kept} (retrieval_depth)"
        if entry.kind == "evidence" and profiles:
            message = f"evidence is for tasks of kind questions, and {profiles[0]} is none"
            yield ["retrievers", name, "kind"], message
        for other in taken[name]:
            if other not in entries:
                allowed = choices(other, [known for known in entries if known != name])
                message = f"unknown retriever {shown(other)}{allowed}"
                yield ["retrievers", name, INPUT_KEYS[entry.kind]], message
    try:
        TopologicalSorter(taken).prepare()
    except CycleError as error:
        # Each takes the one before it.
        circle = list(reversed(error.args[1]))
        message = f"{' takes '.join(circle)}, and so on. A retriever can't take its own ranking"
        yield ["retrievers", circle[0], INPUT_KEYS[entries[circle[0]]["kind"]]], message
