"""The configuration of an experiment whose answers were recorded elsewhere."""

import itertools
import string
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from quantrag.names import NO_RETRIEVER
from quantrag.section import K, Line, Mistake, Name, Section, shown
from quantrag.tasks.settings import check_labels

#: What the path of a file of results may name.
PLACES = ("model", "precision", "task", "retriever", "k")


class RecordedTask(Section):
    """Items that other programs asked: questions and golds come with the answers."""

    kind: Literal["recorded"] = Field(description="The items come with the answers.")
    answer: Literal["label", "rating", "short", "text", "score"] = Field(
        "score",
        description="What the answers are. `label`, `rating`, `short` and `text` are read by "
        "`scoring.parsing` and scored here, beside the recorded scores; `score` takes only the "
        "recorded scores.",
    )
    labels: list[Line] = Field(
        [], description="Every allowed answer of a task whose answers are labels."
    )

    @model_validator(mode="after")
    def _labels_where_they_belong(self) -> "RecordedTask":
        check_labels(self.answer, self.labels)
        return self


class TableColumns(Section):
    """Names of a table's columns by what they hold; `null` takes the usual name, if it is there."""

    item: Line | None = Field(None, description="Id of the item. Usual: `item`.")
    answer: Line | None = Field(None, description="The raw answer. Usual: `answer`.")
    gold: Line | None = Field(
        None, description="The right answer, or a list of them. Usual: `gold`."
    )
    input: Line | None = Field(None, description="The question, for the report. Usual: `input`.")
    repetition: Line | None = Field(
        None, description="Epoch or seed, where an item was asked again. Usual: `repetition`."
    )
    cluster: Line | None = Field(
        None,
        description="What items belong to that aren't independent, such as a user. Usual: "
        "`cluster`; without it every item stands for itself.",
    )
    prompt_tokens: Line | None = Field(
        None, description="Length of the prompt. Usual: `prompt_tokens`."
    )
    scores: list[Line] | None = Field(
        None, description="Per-item scores; `null` takes every other column of numbers."
    )


def _names(values: Sequence[str]) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


class RecordedResult(Section):
    """Files of one system, or of several whose files are named alike: of a list, each is taken with
    each of the other keys' lists."""

    model: Name | list[Name] = Field(description="The model, or several.")
    precision: Name | list[Name] = Field(
        description="The precision, or several. `noise-floor` is a second run of the baseline."
    )
    task: str | list[str] = Field(description="The task, a key of `tasks`, or several.")
    retriever: Name | list[Name] = Field(
        NO_RETRIEVER, description="The retriever, or several; `none` for k = 0."
    )
    k: K | list[K] = Field("0", description="How many documents were in the prompt, or several.")
    files: Line | list[Line] = Field(
        description="The file, in which `{model}`, `{precision}`, `{task}`, `{retriever}` and "
        "`{k}` stand for these. Several files are repetitions of the same run (seeds)."
    )

    @model_validator(mode="after")
    def _files_name_what_there_is(self) -> "RecordedResult":
        for file in _names(self.files):
            try:
                places = {place for _, place, _, _ in string.Formatter().parse(file)} - {None}
            except ValueError as error:
                raise Mistake(f"{shown(file)}: {error}", "files") from None
            unknown = sorted(places - set(PLACES))
            if unknown:
                allowed = ", ".join(f"{{{place}}}" for place in PLACES)
                raise Mistake(f"{shown(file)} names {{{unknown[0]}}}. Allowed: {allowed}", "files")
            for place in PLACES:
                if len(_names(getattr(self, place))) > 1 and place not in places:
                    raise Mistake(
                        f"{shown(file)} is the same file for several values of {place}: "
                        f"{{{place}}} is missing in it",
                        "files",
                    )
        return self

    def systems(self) -> Iterator[tuple[dict[str, str], list[str]]]:
        """Model, precision, task, retriever and k of each system, with its files."""
        for values in itertools.product(*(_names(getattr(self, place)) for place in PLACES)):
            system = dict(zip(PLACES, values, strict=True))
            yield system, [file.format(**system) for file in _names(self.files)]


class RecordedSettings(Section):
    """Results that other programs left, in place of models that run here."""

    format: Literal["table", "quantization-flips", "lm-eval", "inspect", "paper"] = Field(
        description="What the files are: `table` (CSV, JSONL or Parquet), `quantization-flips` "
        "(ab-ch90/quantization-flips-small-llms), `lm-eval` (`samples_*.jsonl` of "
        "lm-evaluation-harness), `inspect` (`.eval` or `.json` logs of inspect_ai), `paper` (the "
        "pickles of the replicated paper's authors)."
    )
    results: list[RecordedResult] = Field(min_length=1, description="Whose results are where.")
    columns: TableColumns = Field(default_factory=TableColumns)
    items: Line | None = Field(
        None,
        description="The file with the items, of `quantization-flips` (`null` for "
        "`_bench_items.json.gz` beside the answers), or with the queries' ids, of `paper` (`null` "
        "numbers them).",
    )
    without: Line | None = Field(
        None,
        description="A recorded score of 0 or 1, without which all comparisons are made a second "
        "time: answers in which it is 1 are left out of `tables/comparisons_without.csv` and "
        "`tables/pooled_without.csv`.",
    )
    lower_is_better: list[Line] = Field(
        [],
        description="Recorded scores of which less is better, where neither their files nor their "
        "names (`error`, `loss`, `perplexity`) say so.",
    )

    def options(self) -> dict[str, object]:
        """What the format's reader is told, as plain values."""
        return self.model_dump(include={"columns", "items", "lower_is_better"})
