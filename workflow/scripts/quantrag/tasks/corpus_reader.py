"""A corpus of anyone's documents -> the table of its documents or passages, checked."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from tqdm import tqdm

from quantrag.errors import UserError
from quantrag.model_files import package_folder
from quantrag.tasks.corpora import Document, read_documents
from quantrag.tasks.passages import Passage, Splitter, passage_id
from quantrag.tasks.question_files import as_paths, name_of
from quantrag.tasks.records import Problems
from quantrag.tasks.schemas import CUT, DOCUMENTS, RECORDS, Rows
from quantrag.tasks.task import CORPUS

log = logging.getLogger(__name__)


def read(reading: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, pa.Table]:
    """Read a corpus as a stream, so that memory holds the resulting table and little else.

    Args:
        reading: as `quantrag.tasks.questions.reading` gives it for the corpus.
        files: paths by name: `corpus` (a path or several) and `tokenizer` (a folder), each where
            there is one.

    Returns:
        `documents`: `schemas.DOCUMENTS`, in the order of the corpus, all in the scope `CORPUS`. The
            schema's metadata has `schemas.RECORDS` and `schemas.CUT`.

    Raises:
        UserError: a file is unreadable, records in it are wrong, or there is no text. The message
            names file and record.
    """
    problems = Problems()
    splitter = _splitter(reading["passages"], as_paths(files, "tokenizer"))
    rows, n_documents, n_wrong = Rows(DOCUMENTS), 0, 0
    for document in tqdm(
        read_documents(reading["corpus"], as_paths(files, "corpus"), problems),
        unit=" documents",
        mininterval=5,
    ):
        n_documents += 1
        if document is None:
            n_wrong += 1
            continue
        for identifier, passage in _passages(document, splitter):
            rows.add(identifier, CORPUS, passage.text, passage.title, "")
    documents = rows.table()
    name = name_of(reading["corpus"])
    if not n_wrong and not len(documents):
        raise UserError(f"{name}: the corpus is empty: no document has any text.")
    dropped = {"documents": (n_wrong, max(n_documents, 1))}
    if reading["invalid_records"] == "drop":
        problems.warn_if_few({"documents": name}, dropped)
    else:
        problems.raise_if_any()
    log.info("%d passages of %d documents", len(documents), n_documents)
    records = {"dropped": dropped if n_wrong else {}}
    metadata = {RECORDS: json.dumps(records), CUT: json.dumps(splitter is not None)}
    return {"documents": documents.replace_schema_metadata(metadata)}


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
        yield passage_id(document.id, passage), passage
