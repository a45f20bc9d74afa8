"""Folders in BEIR's layout (Thakur et al. 2021, arXiv 2104.08663)."""

from collections.abc import Iterator
from pathlib import Path

from quantrag.errors import UserError
from quantrag.tasks.record_files import PlacedRecord, read_json_lines


def read_questions(queries: str | Path, judgements: str | Path) -> Iterator[PlacedRecord]:
    """Place and content of each query that a split has judgements of, in the file's order.

    `evidence` in a record are the ids of its relevant documents (score above 0); `metadata` is left
    out, which has no fixed content.

    Raises:
        UserError: a line is wrong, or there is no such query.
    """
    relevant = _relevant(judgements)
    for where, record in read_json_lines(queries):
        identifier = record.get("_id")
        if identifier in relevant:
            own = {key: value for key, value in record.items() if key != "metadata"}
            yield where, {**own, "evidence": relevant.pop(identifier)}
    if relevant:
        raise UserError(f"{judgements}: no query {next(iter(relevant))!r} in {queries}.")


def _relevant(path: str | Path) -> dict[str, list[str]]:
    """Ids of the relevant documents of each query."""
    found: dict[str, list[str]] = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            fields = line.rstrip("\r\n").split("\t")
            if number == 1 and fields[0] == "query-id":
                continue
            try:
                query, document, score = fields
                relevant = float(score) > 0
            except ValueError:
                raise UserError(
                    f"{path}, line {number}: a query's id, a document's id and a score are "
                    "expected, separated by tabs."
                ) from None
            documents = found.setdefault(query, [])
            if relevant:
                documents.append(document)
    return found
