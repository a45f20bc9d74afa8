"""Which passages of a corpus hold the evidence that questions name."""

import re
from collections.abc import Iterable

import pyarrow as pa

from quantrag.tasks.passages import parse_id
from quantrag.tasks.question_records import Question
from quantrag.tasks.records import Problems


class EvidenceSearch:
    """Finds the passages that questions name: a passage, a document, or words of one.

    Args:
        questions: with ids of documents or passages as their evidence, and quotes of these.
        documents: the table of a corpus.
        cut: whether it holds passages of documents.
    """

    def __init__(self, questions: Iterable[Question], documents: pa.Table, *, cut: bool) -> None:
        wanted = {name for question in questions for name in question.evidence}
        self._ids = documents["document_id"].to_pylist()
        self._texts = documents["text"]
        self._cut = cut
        # Rows of the documents that are named themselves or by one of their passages.
        self._rows: dict[str, list[int]] = {}
        # Ids of the passages that each name stands for.
        self._passages: dict[str, list[str]] = {}
        # Text and passages' spans of the documents that quotes were looked for in.
        self._documents: dict[str, tuple[str, list[tuple[str, int, int]]]] = {}
        self._an_id = self._document_of(self._ids[0]) if self._ids else ""
        named = wanted.intersection(self._ids)
        watched = wanted | {self._document_of(passage) for passage in named}
        for row, identifier in enumerate(self._ids):
            document = self._document_of(identifier)
            if document in watched:
                self._rows.setdefault(document, []).append(row)
            for name in {document, identifier} & wanted:
                self._passages.setdefault(name, []).append(identifier)

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
            passages = [p for name in question.evidence for p in self._quoting(name, quote)]
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

    def _document_of(self, identifier: str) -> str:
        return parse_id(identifier)[0] if self._cut else identifier

    def _quoting(self, name: str, quote: str) -> list[str]:
        """The passages under a name that hold a part of some words of their document."""
        document = name if name in self._rows else self._document_of(name)
        text, spans = self._document(document)
        # Its lines may end elsewhere than the quote's.
        pattern = re.compile(r"\s+".join(map(re.escape, quote.split())))
        places = [match.span() for match in pattern.finditer(text)]
        own = set(self._passages[name])
        return [
            passage
            for passage, start, stop in spans
            if passage in own and any(start < end and begin < stop for begin, end in places)
        ]

    def _document(self, name: str) -> tuple[str, list[tuple[str, int, int]]]:
        """The text of a document, and the span of each of its passages.

        Where it was cut, it is put together again: between its passages was only white space, and
        each begins and ends after the one before it.
        """
        if name not in self._documents:
            parts, spans, end = [], [], 0
            for row in self._rows[name]:
                passage = self._texts[row].as_py()
                start = parse_id(self._ids[row])[1] if self._cut else 0
                parts += [" " * (start - end), passage[max(0, end - start) :]]
                end = start + len(passage)
                spans.append((self._ids[row], start, end))
            self._documents[name] = "".join(parts), spans
        return self._documents[name]
