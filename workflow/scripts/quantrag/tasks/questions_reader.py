"""A corpus and questions on it -> tables of queries and documents, checked."""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from quantrag.errors import UserError
from quantrag.model_files import package_folder
from quantrag.tasks.answers import NO_ANSWER
from quantrag.tasks.corpora import Document, read_documents
from quantrag.tasks.passages import Passage, Splitter
from quantrag.tasks.question_records import Question, read_questions
from quantrag.tasks.records import Problems
from quantrag.tasks.schemas import DOCUMENTS, QUERIES, RECORDS, Rows
from quantrag.tasks.task import CORPUS

log = logging.getLogger(__name__)

#: Documents that a held-out question is shown with: its evidence first, then others at random.
TRAINING_DOCUMENTS = 10


def read_task(reading: Mapping[str, Any], files: Mapping[str, Any]) -> tuple[pa.Table, pa.Table]:
    """Read the evaluated or the held-out questions and the corpus, and check both.

    Documents are read as a stream, so memory holds the resulting tables, the documents' ids and
    little else.

    Args:
        reading: as `quantrag.tasks.questions.reading` gives it.
        files: paths by name: `corpus` and `questions` (a path or several), and `tokenizer` (a
            folder), each where there is one.

    Returns:
        queries: `schemas.QUERIES`, in the order of the questions. The schema's metadata has
            `schemas.RECORDS`.
        documents: `schemas.DOCUMENTS`. Of the evaluated questions one scope, `CORPUS`, in the
            order of the corpus; each held-out question has a scope of its own with
            `TRAINING_DOCUMENTS` documents of the corpus, among them its evidence.

    Raises:
        UserError: a file is unreadable, records in it are wrong, or there are none. The message
            names file and record.
    """
    problems = Problems()
    questions = list(
        read_questions(
            reading["questions"],
            _paths(files, "questions"),
            answer=reading["answer"],
            labels=reading["labels"],
            group=reading["group"],
            problems=problems,
        )
    )
    found = [question for question in questions if question is not None]
    search = EvidenceSearch(found)
    splitter = _splitter(reading["passages"], _paths(files, "tokenizer"))
    rows, n_documents, n_wrong = Rows(DOCUMENTS), 0, 0
    for document in tqdm(
        read_documents(reading["corpus"], _paths(files, "corpus"), problems),
        unit=" documents",
        mininterval=5,
    ):
        n_documents += 1
        if document is None:
            n_wrong += 1
            continue
        for identifier, passage in search.watch(document, _passages(document, splitter)):
            rows.add(identifier, CORPUS, passage.text, passage.title, "")
    documents = rows.table()
    evidence = {question.id: search.evidence(question, problems) for question in found}
    usable = [question for question in found if evidence[question.id] is not None]
    names = {part: _name(reading[part]) for part in ("corpus", "questions")}
    names["documents"] = names["corpus"]
    dropped = {
        "questions": (len(questions) - len(usable), max(len(questions), 1)),
        "documents": (n_wrong, max(n_documents, 1)),
    }
    if not n_wrong and not len(documents):
        raise UserError(f"{names['corpus']}: the corpus is empty: no document has any text.")
    if reading["invalid_records"] == "drop":
        problems.warn_if_few(names, dropped)
    else:
        problems.raise_if_any()
    if not questions:
        raise UserError(f"{names['questions']}: no questions.")
    if all(question.golds == [NO_ANSWER] for question in usable):
        raise UserError(f"{names['questions']}: none of the questions has an answer.")
    held_out = held_out_groups([question.group for question in usable], reading["held_out"])
    chosen = [q for q in usable if (q.group in held_out) == reading["is_training"]]
    chosen = spread(chosen, reading["max_queries"])
    log.info(
        "%d passages of %d documents; %d questions of %d in %d groups (%d groups held out)",
        *(len(documents), n_documents, len(chosen), len(usable)),
        *(len({question.group for question in usable}), len(held_out)),
    )
    if reading["is_training"]:
        documents = _training_documents(chosen, evidence, documents)
    queries = Rows(QUERIES)
    for q in chosen:
        scope = q.id if reading["is_training"] else CORPUS
        metadata = json.dumps(q.metadata, ensure_ascii=False, default=str)
        # JSON can escape half of a surrogate pair, which UTF-8 can't store: "?" stands for it.
        metadata = metadata.encode(errors="replace").decode()
        queries.add(q.id, scope, q.group, q.text, q.text, q.golds, evidence[q.id], metadata)
    dropped = {kind: counts for kind, counts in dropped.items() if counts[0]}
    records = json.dumps({"empty_profiles": 0, "dropped": dropped})
    return queries.table().replace_schema_metadata({RECORDS: records}), documents


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


class EvidenceSearch:
    """Finds the passages that questions name as their evidence, while the corpus goes by.

    Args:
        questions: with ids of documents or passages as their evidence, and quotes of these.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self._wanted: set[str] = set()
        self._quotes: dict[str, set[str]] = {}
        for question in questions:
            self._wanted.update(question.evidence)
            for name in question.evidence:
                self._quotes.setdefault(name, set()).update(question.quotes)
        self._passages: dict[str, list[str]] = {}
        self._quoted: dict[tuple[str, str], list[str]] = {}
        self._an_id = ""

    def watch(
        self, document: Document, passages: Iterable[tuple[str, Passage]]
    ) -> Iterator[tuple[str, Passage]]:
        """The passages of a document themselves, which are noted where a question names them."""
        wanted = document.id in self._wanted
        spans = []
        self._an_id = self._an_id or document.id
        for identifier, passage in passages:
            if identifier in self._wanted:
                self._passages[identifier] = [identifier]
            if wanted or identifier in self._wanted:
                spans.append((identifier, passage.start, passage.stop))
            yield identifier, passage
        if wanted and spans:
            self._passages[document.id] = [identifier for identifier, _, _ in spans]
        named = {identifier for identifier, _, _ in spans} & self._wanted
        for name in {document.id, *named}:
            for quote in self._quotes.get(name, ()):
                places = [match.span() for match in _pattern(quote).finditer(document.text)]
                self._quoted[name, quote] = [
                    identifier
                    for identifier, start, stop in spans
                    if name in (document.id, identifier)
                    and any(start < end and begin < stop for begin, end in places)
                ]

    def evidence(self, question: Question, problems: Problems) -> list[str] | None:
        """Ids of the passages that hold a question's evidence; None with a problem noted."""
        unknown = [name for name in question.evidence if name not in self._passages]
        for name in unknown:
            example = f' (an id of which is "{self._an_id}")' if self._an_id else ""
            problems.add(
                "evidence",
                f'{question.where}: the evidence "{name}" isn\'t in the corpus{example}',
            )
        if unknown:
            return None
        found: list[str] = []
        for quote in question.quotes:
            passages = [
                p for name in question.evidence for p in self._quoted.get((name, quote), ())
            ]
            if not passages:
                start = " ".join(quote.split())[:60]
                names = " nor in ".join(f'"{name}"' for name in question.evidence)
                problems.add(
                    "quote", f'{question.where}: the evidence_text "{start}" isn\'t in {names}'
                )
                return None
            found += passages
        if not question.quotes:
            found = [passage for name in question.evidence for passage in self._passages[name]]
        return list(dict.fromkeys(found))


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


def _pattern(quote: str) -> re.Pattern[str]:
    """A quote as it may stand in a text, whose lines may end elsewhere."""
    return re.compile(r"\s+".join(map(re.escape, quote.split())))


def _paths(files: Mapping[str, Any], name: str) -> list[str]:
    paths = files.get(name, [])
    return [paths] if isinstance(paths, str) else list(paths)


def _splitter(passages: Mapping[str, Any] | None, folder: Sequence[str]) -> Splitter | None:
    if passages is None:
        return None
    tokenizer = (
        folder[0] if folder else package_folder(passages["tokenizer"]["package"], "tokenizer.json")
    )
    return Splitter(tokenizer, passages["tokens"], passages["overlap"])


def _passages(document: Document, splitter: Splitter | None) -> Iterator[tuple[str, Passage]]:
    """Id and content of each passage of a document: all of it where nothing is cut."""
    text, title = document.text, document.title
    if splitter is None:
        yield document.id, Passage(0, len(text), text, title)
        return
    for passage in splitter.cut(text, title, markdown=document.markdown):
        yield f"{document.id}#{passage.start}-{passage.stop}", passage


def _name(source: Mapping[str, Any]) -> str:
    """What a source is called in messages."""
    keys = ("files", "table", "file", "beir", "squad")
    named = next((source[key] for key in keys if source.get(key)), None)
    return named or f"data set {source['dataset']['path']}"


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
    taken = documents.take(pa.array(rows, pa.int64()))
    column = DOCUMENTS.get_field_index("scope_id")
    return taken.set_column(column, DOCUMENTS.field(column), pa.array(scopes, pa.string()))
