"""Documents -> passages: cut where the text has its own boundaries, up to a number of tokens."""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from quantrag.errors import UserError
from quantrag.tasks.text_files import headings


class Passage(NamedTuple):
    """A part of a document; `start` and `stop` are characters of the document."""

    start: int
    stop: int
    text: str
    title: str


def passage_id(document_id: str, passage: Passage) -> str:
    """The id of a passage of a document, by which both are found again (`parse_id`)."""
    return f"{document_id}#{passage.start}-{passage.stop}"


def parse_id(identifier: str) -> tuple[str, int]:
    """The document that a passage is of, and where in its text it starts."""
    document_id, _, place = identifier.rpartition("#")
    return document_id, int(place.partition("-")[0])


class Splitter:
    """Cuts texts by the library semantic-text-splitter, which takes the largest units that fit:
    sections of Markdown, paragraphs, sentences, words.

    Args:
        tokenizer: folder that holds `tokenizer.json`.
        tokens: most tokens of a passage, without the tokenizer's special ones.
        overlap: most tokens that a passage shares with the one before it.

    Raises:
        UserError: the folder holds no readable tokenizer.
    """

    def __init__(self, tokenizer: str | Path, tokens: int, overlap: int = 0) -> None:
        from semantic_text_splitter import MarkdownSplitter, TextSplitter
        from tokenizers import Tokenizer

        path = Path(tokenizer) / "tokenizer.json"
        if not path.is_file():
            raise UserError(f"{tokenizer}: no tokenizer here (no file tokenizer.json).")
        try:
            counting = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more specific
            raise UserError(f"{path}: not a tokenizer ({error}).") from None
        # Else no text would be counted as longer than the encoder reads.
        counting.no_truncation()
        counting.no_padding()
        self._plain, self._markdown = (
            kind.from_huggingface_tokenizer(counting, tokens, overlap)
            for kind in (TextSplitter, MarkdownSplitter)
        )

    def cut(self, text: str, title: str, *, markdown: bool) -> Iterator[Passage]:
        """The passages of a document, in order; none of them is empty.

        Args:
            text: the document.
            title: its title, which its passages get; in Markdown with the heading that they stand
                under ("Page: Section").
            markdown: whether its boundaries are those of Markdown.
        """
        sections = headings(text) if markdown else []
        offsets = [offset for offset, _ in sections]
        splitter = self._markdown if markdown else self._plain
        for start, passage in splitter.chunk_indices(text):
            if not passage.strip():
                continue
            above = bisect_right(offsets, start) - 1
            section = sections[above][1] if above >= 0 else title
            own = title if section == title or not title else f"{title}: {section}"
            yield Passage(start, start + len(passage), passage, own)
