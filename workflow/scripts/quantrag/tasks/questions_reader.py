"""Questions on a corpus that has been read -> the table of queries, checked."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from quantrag.errors import UserError
from quantrag.tables import read_arrow, table_metadata
from quantrag.tasks.answers import NO_ANSWER
from quantrag.tasks.question_evidence import EvidenceSearch
from quantrag.tasks.question_files import as_paths, name_of
from quantrag.tasks.question_records import Question, read_questions
from quantrag.tasks.records import Problems
from quantrag.tasks.schemas import CUT, DOCUMENTS, QUERIES, RECORDS, Rows
from quantrag.tasks.task import CORPUS

log = logging.getLogger(__name__)

#: Documents that a held-out question is shown with: its evidence first, then others at random.
TRAINING_DOCUMENTS = 10


def read(reading: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, pa.Table]:
    """Read the evaluated or the held-out questions, and find their evidence in the corpus.

    Args:
        reading: as `quantrag.tasks.questions.reading` gives it.
        files: paths by name: `questions` (a path or several), where there is one, and `documents`,
            the table of the corpus.

    Returns:
        `queries`: `schemas.QUERIES`, in the order of the questions. The schema's metadata has
            `schemas.RECORDS`, of questions and corpus.
        `documents`, only of held-out questions: `schemas.DOCUMENTS`, each question with a scope of
            its own of `TRAINING_DOCUMENTS` documents of the corpus, among them its evidence.

    Raises:
        UserError: a file is unreadable, records in it are wrong, or there are none. The message
            names file and record.
    """
    problems = Problems()
    questions = list(
        read_questions(
            reading["questions"],
            as_paths(files, "questions"),
            answer=reading["answer"],
            labels=reading["labels"],
            group=reading["group"],
            problems=problems,
        )
    )
    found = [question for question in questions if question is not None]
    documents = read_arrow(files["documents"])
    of_corpus = table_metadata(documents.schema)
    search = EvidenceSearch(found, documents, cut=json.loads(of_corpus[CUT]))
    evidence = {question.id: search.evidence(question, problems) for question in found}
    usable = [question for question in found if evidence[question.id] is not None]
    name = name_of(reading["questions"])
    dropped = {"questions": (len(questions) - len(usable), max(len(questions), 1))}
    if reading["invalid_records"] == "drop":
        problems.warn_if_few({"questions": name}, dropped)
    else:
        problems.raise_if_any()
    if not questions:
        raise UserError(f"{name}: no questions.")
    if all(question.golds == [NO_ANSWER] for question in usable):
        raise UserError(f"{name}: none of the questions has an answer.")
    held_out = held_out_groups([question.group for question in usable], reading["held_out"])
    chosen = [q for q in usable if (q.group in held_out) == reading["is_training"]]
    chosen = spread(chosen, reading["max_queries"])
    log.info(
        "%d questions of %d in %d groups (%d groups held out)",
        *(len(chosen), len(usable), len({question.group for question in usable}), len(held_out)),
    )
    queries = Rows(QUERIES)
    for q in chosen:
        scope = q.id if reading["is_training"] else CORPUS
        metadata = json.dumps(q.metadata, ensure_ascii=False, default=str)
        # JSON can escape half of a surrogate pair, which UTF-8 can't store: "?" stands for it.
        metadata = metadata.encode(errors="replace").decode()
        queries.add(q.id, scope, q.group, q.text, q.text, q.golds, evidence[q.id], metadata)
    dropped = {kind: counts for kind, counts in dropped.items() if counts[0]}
    dropped |= json.loads(of_corpus[RECORDS])["dropped"]
    records = json.dumps({"empty_profiles": 0, "dropped": dropped})
    tables = {"queries": queries.table().replace_schema_metadata({RECORDS: records})}
    if reading["is_training"]:
        tables["documents"] = _training_documents(chosen, evidence, documents)
    return tables


def spread(questions: Sequence[Question], most: int | None) -> list[Question]:
    """At most so many questions, in their order: the first of every group, then the second, ...

    Data sets go article by article: their first questions would be of a handful of groups, on
    which no statistics can rest.
    """
    seen: Counter[str] = Counter()
    turns = []
    for question in questions:
        turns.append(seen[question.group])
        seen[question.group] += 1
    kept = sorted(range(len(questions)), key=turns.__getitem__)[:most]
    return [questions[place] for place in sorted(kept)]


def held_out_groups(groups: Sequence[str], share: float) -> set[str]:
    """The groups that are kept for calibration: by the hashes of their names, each that fits.

    So the choice depends on names and sizes alone, and hardly changes when groups are added.

    Args:
        groups: the group of each question.
        share: of the questions, from 0 to below 1, that isn't exceeded, except that above 0 at
            least one group is taken: the smallest where none fits.

    Raises:
        UserError: there is only one group.
    """
    if not share:
        return set()
    sizes = Counter(groups)
    if len(sizes) < 2:
        raise UserError("held_out: all questions are of one group, which can't be divided.")
    room = share * len(groups) + 1e-9  # 0.29 * 100 is a little below 29
    held_out: set[str] = set()
    for group in sorted(sizes, key=_hash):
        if sizes[group] <= room:
            held_out.add(group)
            room -= sizes[group]
    return held_out or {min(sizes, key=lambda group: (sizes[group], _hash(group)))}


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _training_documents(
    questions: Sequence[Question],
    evidence: Mapping[str, list[str] | None],
    documents: pa.Table,
) -> pa.Table:
    """A scope for each question: its evidence, then documents of the corpus drawn by its id."""
    ids = documents["document_id"]
    wanted = {name for question in questions for name in evidence[question.id] or ()}
    row_of = {name: row for row, name in enumerate(ids.to_pylist()) if name in wanted}
    rows: list[int] = []
    scopes: list[str] = []
    for question in questions:
        generator = np.random.default_rng(int.from_bytes(_hash(question.id)[:8]))
        n_drawn = min(len(documents), 2 * TRAINING_DOCUMENTS)
        drawn = generator.choice(len(documents), n_drawn, replace=False, shuffle=True)
        own = [row_of[name] for name in evidence[question.id] or ()]
        own = list(dict.fromkeys([*own, *drawn.tolist()]))[:TRAINING_DOCUMENTS]
        rows += own
        scopes += [question.id] * len(own)
    taken = documents.take(pa.array(rows, pa.int64())).replace_schema_metadata()
    column = DOCUMENTS.get_field_index("scope_id")
    return taken.set_column(column, DOCUMENTS.field(column), pa.array(scopes, pa.string()))
