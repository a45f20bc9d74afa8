"""Files in the layout of SQuAD 1.1 and 2.0: paragraphs are documents, with questions on each.

SQuAD: Rajpurkar et al. 2016 (arXiv 1606.05250) and 2018 (arXiv 1806.03822).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.tasks.json_stream import load_json
from quantrag.tasks.record_files import PlacedRecord


def read_paragraphs(path: str | Path) -> Iterator[PlacedRecord]:
    """Place of each paragraph, and its id (`<article>/<number>`), title and text.

    Raises:
        UserError: the file is missing, or its layout is another one.
    """
    for where, identifier, title, paragraph in _paragraphs(path):
        if not isinstance(paragraph.get("context"), str):
            raise UserError(f"{where}: not in SQuAD's layout: no text 'context'.")
        yield where, {"id": identifier, "title": title, "text": paragraph["context"]}


def read_questions(path: str | Path) -> Iterator[PlacedRecord]:
    """Place of each question, and its id, question, answers, evidence and article.

    Raises:
        UserError: the file is missing, or its layout is another one.
    """
    for where, identifier, title, paragraph in _paragraphs(path):
        for number, question in enumerate(_list(paragraph, "qas", where), start=1):
            place = f"{where}, question {number}"
            if not isinstance(question, dict):
                raise UserError(f"{place}: not an object.")
            answers = _list(question, "answers", place)
            if question.get("is_impossible"):
                answers = []
            yield (
                place,
                {
                    "id": question.get("id"),
                    "question": question.get("question"),
                    "answers": [
                        answer.get("text") if isinstance(answer, dict) else answer
                        for answer in answers
                    ],
                    "evidence": identifier,
                    "article": title,
                },
            )


def _paragraphs(path: str | Path) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Place, id, the article's title and content; titles that repeat are numbered."""
    content = load_json(path)
    names: set[str] = set()
    if not isinstance(content, dict):
        raise UserError(f"{path}: not in SQuAD's layout: no object with the list 'data'.")
    for number, article in enumerate(_list(content, "data", f"{path}"), start=1):
        where = f"{path}, article {number}"
        if not isinstance(article, dict):
            raise UserError(f"{where}: not an object.")
        title = str(article.get("title") or f"article {number}")
        repeat, name = 1, title
        while name in names:
            repeat += 1
            name = f"{title} ({repeat})"
        names.add(name)
        for index, paragraph in enumerate(_list(article, "paragraphs", where)):
            place = f"{where}, paragraph {index + 1}"
            if not isinstance(paragraph, dict):
                raise UserError(f"{place}: not an object.")
            # As people read it; the file has underscores in the place of spaces.
            yield place, f"{name}/{index}", name.replace("_", " "), paragraph


def _list(record: dict[str, Any], key: str, where: str) -> list[Any]:
    value = record.get(key, [] if key == "answers" else None)
    if not isinstance(value, list):
        raise UserError(f"{where}: not in SQuAD's layout: no list {key!r}.")
    return value
