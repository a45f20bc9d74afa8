"""What the rules look up about retrievers and their encoders."""

from collections.abc import Callable, Mapping
from typing import Any

from quantrag.config.experiment import Experiment
from quantrag.model_files import encoder_name
from quantrag.plan.wildcards import one_of
from quantrag.retrieval.settings import inputs_of
from quantrag.tasks.registry import load_all
from quantrag.tasks.task import CORPUS

Entry = Mapping[str, Any]


class RetrievalPlan:
    """The retrievers of an experiment.

    Attributes:
        downloaded: the config's entry of each encoder or cross-encoder that is downloaded, and of
            each tokenizer that documents are cut by, by its folder's name.
        indexed: names of the retrievers that search a corpus by an index of their own.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._entries = {name: entry.model_dump() for name, entry in experiment.retrievers.items()}
        tasks = load_all({name: task.model_dump() for name, task in experiment.tasks.items()})
        self._scopes = {task.name: task.scope for task in tasks}
        self._usual_texts = {
            task.name: "target_and_text" if task.target_is_searched else "text" for task in tasks
        }
        self._depth = experiment.depth
        self.indexed = [
            name for name, entry in self._entries.items() if entry["kind"] in ("lucene", "dense")
        ]
        encoders = (
            entry[key]
            for entry in self._entries.values()
            for key in ("encoder", "query_encoder", "model")
            if key in entry
        )
        tokenizers = (
            task.passages.tokenizer.model_dump()
            for task in experiment.tasks.values()
            if task.kind == "questions" and task.passages is not None
        )
        self.downloaded = {
            encoder_name(encoder): encoder
            for encoder in (*encoders, *tokenizers)
            if encoder["kind"] == "huggingface"
        }

    def of_kind(self, kind: str) -> str:
        """Constraint of the wildcard `retriever` to the retrievers of one kind."""
        return one_of(name for name, entry in self._entries.items() if entry["kind"] == kind)

    def settings(self, *keys: str) -> Callable[[Any], dict[str, Any]]:
        """Params function: the keys of the retriever's entry that one stage depends on.

        A `document_text` of `task` is resolved: nothing else that a task is decides an index.
        """

        def of(wildcards: Any) -> dict[str, Any]:
            entry = self._entries[wildcards.retriever]
            found = {key: entry[key] for key in keys}
            if found.get("document_text") == "task":
                found["document_text"] = self._usual_texts[wildcards.task]
            return found

        return of

    def scope(self, wildcards: Any) -> str:
        """Params function: what the task's queries search, `PROFILE` or `CORPUS`."""
        return self._scopes[wildcards.task]

    def depth(self, wildcards: Any) -> int | None:
        """Params function: how many documents of a ranking are kept; None keeps all."""
        return self._depth(self.scope(wildcards))

    def statistics(self, wildcards: Any) -> str:
        """Params function: whose statistics Lucene takes, as `quantrag.retrieval.lucene` has it."""
        scope = self.scope(wildcards)
        return CORPUS if scope == CORPUS else self._entries[wildcards.retriever]["statistics"]

    def input_runs(self, wildcards: Any) -> list[str]:
        """Input function: the runs of the retrievers that a retriever takes."""
        names = inputs_of(self._entries[wildcards.retriever])
        return [f"<results>/runs/{wildcards.task}/{name}.parquet" for name in names]

    def cross_encoder(self, retriever: str) -> Entry:
        """Config entry of the model that reranks."""
        return self._entries[retriever]["model"]

    def document_encoder(self, retriever: str) -> Entry:
        """Config entry of the encoder of the documents."""
        return self._entries[retriever]["encoder"]

    def query_encoder(self, retriever: str) -> Entry:
        """Config entry of the encoder of the queries."""
        entry = self._entries[retriever]
        return entry.get("query_encoder", entry["encoder"])
