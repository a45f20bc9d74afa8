"""Folders in BEIR's layout (Thakur et al. 2021, arXiv 2104.08663)."""

from collections.abc import Iterator
from pathlib import Path

from quantrag.errors import UserError
from quantrag.tasks.record_files import PlacedRecord, read_records
from quantrag.tasks.text_files import read_text_file


def read_questions(queries: str | Path, judgements: str | Path) -> Iterator[PlacedRecord]:
    """Place and content of each query that a split has judgements of, in the file's order; of
    those too whose `_id` is none.

    `evidence` in a record are the ids of its relevant documents (score above 0); `metadata` is left
    out, which has no fixed content.

    Raises:
        UserError: a file is unreadable, a line in it is wrong, or there is no such query.
    """
    relevant = _relevant(judgements)
    missing = dict.fromkeys(relevant)
    for where, record in read_records(queries):
        # Whether it is a good id, and nobody else's, is checked with those of all other sources.
        identifier = record.get("_id")
        known = isinstance(identifier, str | int)
        if not known or str(identifier) in relevant:
            own = {key: value for key, value in record.items() if key != "metadata"}
            yield where, {**own, "evidence": relevant.get(str(identifier), [])}
            missing.pop(str(identifier), None)
    if missing:
        raise UserError(f"{judgements}: no query {next(iter(missing))!r} in {queries}.")


def _relevant(path: str | Path) -> dict[str, list[str]]:
    """Ids of the relevant documents of each query."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(read_text_file(path).removesuffix("\n").split("\n"), start=1):
        fields = line.split("\t")
        if number == 1 and fields[0] == "query-id":
            continue
        try:
            query, document, score = fields
            relevant = float(score) > 0
        except ValueError:
            raise UserError(
                f"{path}, line {number}: a query's id, a document's id and a score are expected, "
                "separated by tabs."
            ) from None
        documents = found.setdefault(query, [])
        if relevant:
            documents.append(document)
    return found
