"""The documents of a corpus, from any of its sources, checked one by one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from quantrag.tasks import squad
from quantrag.tasks.data_sets import read_data_set
from quantrag.tasks.record_files import Columns, PlacedRecord, read_records
from quantrag.tasks.records import Problems, read_identifier, read_text
from quantrag.tasks.text_files import headings, is_markdown, read_text_files, root_of

#: Usual names of columns, by what they hold.
USUAL = {"id": ("id", "_id"), "text": ("text",), "title": ("title",)}


class Document(NamedTuple):
    """A document of a corpus; `where` it stands is for messages."""

    id: str
    title: str
    text: str
    where: str
    markdown: bool = False


def read_documents(
    source: Mapping[str, Any], files: Sequence[str], problems: Problems
) -> Iterator[Document | None]:
    """The documents of a corpus, in order; None for one that is wrong.

    One without text has its title as its text; without either it is left out without a word.

    Args:
        source: the section `corpus` of a task's entry.
        files: paths of its files; none for a data set on the Hub.
        problems: what is wrong with records is noted there.

    Raises:
        UserError: a file is unreadable, or has no column of texts.
    """
    if source["files"] is not None:
        for path, identifier, text in read_text_files(files, root_of(source["files"])):
            markdown = is_markdown(path)
            first = headings(text)[:1] if markdown else []
            title = first[0][1] if first else Path(path).stem
            if text.strip():
                yield Document(identifier, title, text, path, markdown)
        return
    seen: set[str] = set()
    columns = Columns(source["columns"], USUAL, needed=("id", "text"))
    for where, record in columns.checked(_records(source, files)):
        n_before = problems.total
        identifier = read_identifier(record, where, problems, columns.name(record, "id"))
        if identifier is None:
            yield None
            continue
        where = f'{where}: document "{identifier}"'
        if identifier in seen:
            problems.add("document id", f"{where}: an earlier one has the same id")
        seen.add(identifier)
        text, title = (
            read_text(record, name, where, problems) if record.get(name) not in (None, "") else ""
            for name in (columns.name(record, key) for key in ("text", "title"))
        )
        if problems.total > n_before:
            yield None
        elif text or title:
            yield Document(identifier, title if text else "", text or title, where)


def _records(source: Mapping[str, Any], files: Sequence[str]) -> Iterator[PlacedRecord]:
    if source["dataset"] is not None:
        return read_data_set(**source["dataset"])
    [path] = files
    return squad.read_paragraphs(path) if source["squad"] is not None else read_records(path)
