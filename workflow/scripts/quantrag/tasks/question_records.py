"""The questions of a task, from any of their sources, checked one by one."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from quantrag.tasks import beir, squad
from quantrag.tasks.answers import LABEL, NO_ANSWER, RATING
from quantrag.tasks.data_sets import read_data_set
from quantrag.tasks.record_files import Columns, PlacedRecord, read_records
from quantrag.tasks.records import Problems, json_type, read_identifier, read_rating, read_text

#: Usual names of columns, by what they hold.
USUAL = {
    "id": ("id", "_id"),
    "question": ("question", "query", "text"),
    "answers": ("answers", "answer"),
    "evidence": ("evidence",),
    "evidence_text": ("evidence_text",),
}


class Question(NamedTuple):
    """A question.

    Attributes:
        id, text: what they say.
        golds: the right answers; `[NO_ANSWER]` where the documents don't hold one.
        group: what it shares with questions that it isn't independent of, else its own id.
        evidence: ids of documents or passages, as given.
        quotes: words of these documents that hold the answer; without any all of it does.
        metadata: every other column, without what is empty; NaN and infinity count as empty.
        where: its place, for messages.
    """

    id: str
    text: str
    golds: list[str]
    group: str
    evidence: list[str]
    quotes: list[str]
    metadata: dict[str, Any]
    where: str


def read_questions(
    source: Mapping[str, Any],
    files: Sequence[str],
    *,
    answer: str,
    labels: Sequence[str],
    group: str | None,
    problems: Problems,
) -> Iterator[Question | None]:
    """The questions, in order; None for one that is wrong.

    Args:
        source: the section `questions` of a task's entry.
        files: paths of its files; none for a data set on the Hub.
        answer: kind of answer.
        labels: the allowed answers, where they are labels.
        group: column of the group, if there is one.
        problems: what is wrong with records is noted there.

    Raises:
        UserError: a file is unreadable, or lacks a column.
    """
    # Of SQuAD and BEIR the columns are known, but for those that users may add to BEIR's.
    columns = Columns(
        {**source["columns"], "group": group},
        {**USUAL, "group": ()},
        needed=("id", "question"),
    )
    # A data set may be a folder of such files; of BEIR only the judgements are one.
    as_text = source["beir"] is None and any(
        path.lower().endswith((".csv", ".tsv")) for path in files
    )
    seen: set[str] = set()
    for where, record in columns.checked(_records(source, files)):
        record = _finite(record)
        n_before = problems.total
        names = {key: columns.name(record, key) for key in USUAL}
        identifier = read_identifier(record, where, problems, names["id"])
        if identifier is None:
            yield None
            continue
        where = f'{where}: question "{identifier}"'
        if identifier in seen:
            problems.add("question id", f"{where}: an earlier one has the same id")
        seen.add(identifier)
        text = read_text(record, names["question"], where, problems)
        golds, evidence, quotes = (
            _texts(record.get(names[key]), names[key], where, as_text, labels, problems)
            for key in ("answers", "evidence", "evidence_text")
        )
        if problems.total == n_before:
            golds = _checked(golds, names["answers"], where, answer, labels, problems)
        own_group = identifier
        if group is not None:
            own_group = read_identifier(record, where, problems, group)
        if quotes and not evidence:
            problems.add(
                "quote",
                f"{where}: {names['evidence_text']} without {names['evidence']}, which has to name "
                "the document",
            )
        if problems.total > n_before:
            yield None
            continue
        used = set(names.values())
        metadata = {
            key: value
            for key, value in record.items()
            if key not in used and value not in (None, "")
        }
        yield Question(identifier, text, golds, own_group, evidence, quotes, metadata, where)


def _records(source: Mapping[str, Any], files: Sequence[str]) -> Iterator[PlacedRecord]:
    if source["dataset"] is not None:
        return read_data_set(**source["dataset"])
    if source["beir"] is not None:
        return beir.read_questions(*files)
    [path] = files
    return squad.read_questions(path) if source["squad"] is not None else read_records(path)


def _finite(value: Any) -> Any:
    """The same with None for NaN and infinity, as which tables hold what is missing.

    JSON, in which metadata is kept, has neither.
    """
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _texts(
    value: Any, key: str, where: str, as_text: bool, labels: Sequence[str], problems: Problems
) -> list[str]:
    """One text or several under a key, each of them once; numbers count as texts.

    A data set in SQuAD's layout has them inside an object, under `text`.
    """
    if as_text and isinstance(value, str) and value.startswith("[") and value not in labels:
        try:
            value = json.loads(value)
        except ValueError:
            problems.add("list", f"{where}: {key}: not a list in JSON, nor a text without '['")
            return []
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    found = []
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, str | int | float) and not isinstance(part, bool):
            text = str(part)
            if text.strip():
                found.append(read_text({key: text}, key, where, problems))
        elif part is not None:
            problems.add(
                "shape",
                f"{where}: {key}: a text or a list of texts is expected, found {json_type(part)}",
            )
    return list(dict.fromkeys(found))


def _checked(
    golds: list[str],
    key: str,
    where: str,
    answer: str,
    labels: Sequence[str],
    problems: Problems,
) -> list[str]:
    """The right answers, which must be such as the task's kind of answer has."""
    if answer == RATING:
        # Without any, the message says that it is missing.
        return [read_rating({key: gold}, key, where, problems) for gold in golds] or [
            read_rating({}, key, where, problems)
        ]
    if answer == LABEL:
        for gold in golds or [""]:
            if gold not in labels:
                shown = " ".join(gold.split())[:60]
                problems.add("gold", f'{where}: {key} is "{shown}"; allowed: {", ".join(labels)}')
    return golds or [NO_ANSWER]
