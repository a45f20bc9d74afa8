"""LaMP's JSON files (arXiv 2304.11406) -> tables of queries and documents, checked.

A task is a pair of files: questions `[{id, input, profile: [{id, ...}]}]` and outputs
`{task, golds: [{id, output}]}`. Every question brings its own profile, the past texts of one
person, so a question and its user share one id. A profile id is unique only inside its user.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from tqdm import tqdm

from quantrag.errors import UserError
from quantrag.tasks.answers import RATINGS
from quantrag.tasks.json_stream import iterate_list, load_json
from quantrag.tasks.lamp_layouts import LAYOUTS, Layout
from quantrag.tasks.records import (
    N_EXAMPLES,
    Problems,
    json_type,
    read_identifier,
    read_rating,
    read_text,
)
from quantrag.tasks.schemas import DOCUMENTS, QUERIES, RECORDS, Rows

log = logging.getLogger(__name__)


def read_task(
    questions_path: str | Path,
    outputs_path: str | Path,
    lamp: int,
    max_queries: int | None = None,
    invalid_records: str = "error",
    at_least: int = 1,
) -> tuple[pa.Table, pa.Table]:
    """Read one split of one LaMP task, check it and give it as two tables.

    The question file is read as a stream, so memory holds the resulting tables and little else.
    The whole file is checked even where `max_queries` keeps only a part of it.

    Args:
        questions_path: `{split}_questions.json`.
        outputs_path: `{split}_outputs.json`.
        lamp: the LaMP task, 1-5 or 7.
        max_queries: keep only the first `max_queries` questions in file order (LaMP's files
            are in no meaningful order), and their documents.
        invalid_records: "error" refuses a file with wrong records; "drop" leaves out wrong profile
            documents, questions that are wrong themselves or have no valid gold, and golds without
            a question, and logs how many (an error above `MOST_DROPPED` of them).
        at_least: fewer questions than this are an error.

    Returns:
        queries: `schemas.QUERIES`, in the file's order. Scope and cluster are the user, whose id
            is the query's.
            The schema's metadata has `schemas.RECORDS`.
        documents: `schemas.DOCUMENTS`, users in the order of the queries, a user's documents in
            that of the file. Ratings are "1".."5".

    Raises:
        UserError: the files are unreadable, or records in them are wrong. The message names file
            and record of up to `N_EXAMPLES` wrong records, and says how many there are.
    """
    layout = LAYOUTS[lamp]
    problems = Problems()
    drop = invalid_records == "drop"
    golds = _read_golds(Path(outputs_path), lamp, problems)
    without_question = dict(golds)
    seen: dict[str, int] = {}
    queries = Rows(QUERIES)
    documents = Rows(DOCUMENTS)
    empty_profiles: list[str] = []
    n_questions = n_wrong = n_documents = n_wrong_documents = 0
    for number, record in enumerate(
        tqdm(iterate_list(questions_path), unit=" questions", mininterval=5), start=1
    ):
        n_questions, n_before = number, problems.total
        n_wrong += 1  # taken back at the end
        where = f"{questions_path}: record {number}"
        if not isinstance(record, dict):
            problems.add("shape", f"{where}: an object is expected, found {json_type(record)}")
            continue
        query_id = read_identifier(record, where, problems)
        if query_id is None:
            continue
        where = f'{questions_path}: question "{query_id}" (record {number})'
        if query_id in seen:
            problems.add("question id", f"{where}: record {seen[query_id]} has the same id")
            continue
        seen[query_id] = number
        without_question.pop(query_id, None)
        if query_id not in golds:
            problems.add("no gold", f"{where}: no gold in {outputs_path}")
        gold = golds.get(query_id, "")
        full_input, query_text = _query_text(record, where, lamp, layout, problems)
        if not isinstance(record.get("profile"), list):
            found = json_type(record["profile"]) if "profile" in record else "no such key"
            problems.add("shape", f"{where}: profile: a list is expected, found {found}")
            continue
        # A gold that is there and empty was noted when the golds were read.
        wrong = problems.total > n_before or not gold
        rows = list(_profile(record["profile"], query_id, where, lamp, problems))
        n_documents += len(record["profile"])
        n_wrong_documents += len(record["profile"]) - len(rows)
        if wrong:
            continue
        n_wrong -= 1
        if (problems.total and not drop) or (max_queries is not None and number > max_queries):
            continue
        queries.add(query_id, query_id, query_id, full_input, query_text, [gold], [], "{}")
        for row in rows:
            documents.add(*row)
        if not rows:
            empty_profiles.append(query_id)
    for query_id in without_question:
        problems.add(
            "no question",
            f'{outputs_path}: gold "{query_id}": no such question in {questions_path}',
        )
    dropped: dict[str, tuple[int, int]] = {}
    if drop:
        dropped = {
            "questions": (n_wrong, n_questions),
            "profile documents": (n_wrong_documents, n_documents),
            "golds": (len(without_question), max(len(golds), 1)),
        }
        problems.warn_if_few(dict.fromkeys(dropped, questions_path), dropped)
    else:
        problems.raise_if_any()
    if n_questions == 0:
        raise UserError(f"{questions_path}: the list of questions is empty.")
    if n_questions < at_least:
        raise UserError(
            f"{questions_path}: only {n_questions} questions; at least {at_least} are expected."
        )
    queries_table, documents_table = queries.table(), documents.table()
    log.info(
        "%s: %d of %d questions, %d profile documents",
        questions_path,
        len(queries_table),
        n_questions,
        len(documents_table),
    )
    if empty_profiles:
        log.warning(
            "%d of %d queries have an empty profile and get no documents at any k: %s%s",
            len(empty_profiles),
            len(queries_table),
            ", ".join(empty_profiles[:N_EXAMPLES]),
            ", ..." if len(empty_profiles) > N_EXAMPLES else "",
        )
    dropped = {kind: counts for kind, counts in dropped.items() if counts[0]}
    records = json.dumps({"empty_profiles": len(empty_profiles), "dropped": dropped})
    return queries_table.replace_schema_metadata({RECORDS: records}), documents_table


def _read_golds(path: Path, lamp: int, problems: Problems) -> dict[str, str]:
    labels = LAYOUTS[lamp].labels
    outputs = load_json(path)
    if not isinstance(outputs, dict) or not isinstance(outputs.get("golds"), list):
        raise UserError(
            f'{path}: an object {{"task": ..., "golds": [...]}} is expected, found '
            f"{json_type(outputs)}{' without a list golds' if isinstance(outputs, dict) else ''}."
        )
    task = outputs.get("task")
    number = re.match(r"LaMP[_-]?(\d+)", task) if isinstance(task, str) else None
    if number is None or int(number[1]) != lamp:
        raise UserError(f'{path}: "task" is {task!r}; "LaMP_{lamp}" is expected.')
    golds: dict[str, str] = {}
    for number, record in enumerate(outputs["golds"], start=1):
        where = f"{path}: gold record {number}"
        if not isinstance(record, dict):
            problems.add("shape", f"{where}: an object is expected, found {json_type(record)}")
            continue
        query_id = read_identifier(record, where, problems)
        if query_id is None:
            continue
        where = f'{path}: gold "{query_id}" (record {number})'
        if query_id in golds:
            problems.add("gold id", f"{where}: an earlier gold has the same id")
            continue
        gold = _read_answer(lamp)(record, "output", where, problems)
        if gold and labels and gold.strip() not in labels:
            allowed = ", ".join(labels)
            problems.add("gold", f'{where}: output is "{gold}"; allowed: {allowed}')
            gold = ""
        golds[query_id] = gold
    return golds


def _read_answer(lamp: int) -> Callable[[dict, str, str, Problems], str]:
    """The reader of what a model is asked for: the gold, and the target of a document."""
    return read_rating if LAYOUTS[lamp].labels == RATINGS else read_text


def _query_text(
    record: dict, where: str, lamp: int, layout: Layout, problems: Problems
) -> tuple[str, str]:
    full_input = read_text(record, "input", where, problems)
    if not full_input:
        return "", ""
    match = layout.instruction.match(full_input)
    if match is None:
        start = full_input[:60] + ("..." if len(full_input) > 60 else "")
        problems.add(
            "instruction", f'{where}: input lacks the instruction of LaMP-{lamp}: it is "{start}"'
        )
        return full_input, ""
    query_text = " ".join(match.groups()).strip()
    if not query_text:
        problems.add("empty", f"{where}: nothing follows the instruction in input")
    return full_input, query_text


def _profile(
    profile: list, user_id: str, where: str, lamp: int, problems: Problems
) -> Iterator[tuple[str, ...]]:
    """The rows of a profile's valid documents."""
    layout, seen = LAYOUTS[lamp], set()
    for number, item in enumerate(profile, start=1):
        n_before = problems.total
        item_where = f"{where}, profile document {number}"
        if not isinstance(item, dict):
            problems.add("shape", f"{item_where}: an object is expected, found {json_type(item)}")
            continue
        document_id = read_identifier(item, item_where, problems)
        if document_id is None:
            continue
        item_where = f'{where}, profile document "{document_id}" (number {number})'
        if document_id in seen:
            problems.add("document id", f"{item_where}: an earlier one has the same id")
        seen.add(document_id)
        text = read_text(item, layout.text, item_where, problems)
        if layout.target is None:
            target = ""
        else:
            target = _read_answer(lamp)(item, layout.target, item_where, problems)
        date = read_text(item, "date", item_where, problems) if item.get("date") else ""
        if problems.total == n_before:
            yield document_id, user_id, text, target, date
