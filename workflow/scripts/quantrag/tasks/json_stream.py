"""Read large JSON files record by record, with errors that say where the file is broken.

LaMP's question files are one list of up to a gigabyte, on a single line. `json.load` would hold
the bytes, the text (four bytes a character as soon as there is one emoji) and every object at
once; here only one chunk and one record are alive at a time.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from quantrag.errors import UserError

CHUNK_BYTES = 8 * 2**20
# An error this close to the end of the text read so far may only mean that more is to be read:
# the longest token that isn't a string is an escaped surrogate pair, 12 characters.
_UNDECIDED = 16
_SPACE = " \t\n\r"
_decoder = json.JSONDecoder()


def iterate_list(path: str | Path, chunk_bytes: int = CHUNK_BYTES) -> Iterator[object]:
    """Yield the elements of a JSON file that is one list, in order.

    Args:
        path: a UTF-8 file (a byte order mark is accepted).
        chunk_bytes: bytes read at a time.

    Raises:
        UserError: the file is missing, not UTF-8 (with the byte offset), not JSON or truncated
            (with line and column, from 1), or not a list.
    """
    with _open(path) as stream:
        text = _Text(path, stream, chunk_bytes)
        opening = text.next_character()
        if opening != "[":
            text.fail(f"a list ('[') is expected, found {_shown(opening)}")
        text.position += 1
        n_read = 0
        if text.next_character() != "]":
            while True:
                text.context = f"record {n_read + 1}"
                yield text.value()
                n_read += 1
                text.context = f"the list, after record {n_read}"
                separator = text.next_character()
                if separator == "]":
                    break
                if separator != ",":
                    text.fail(f"',' or ']' is expected, found {_shown(separator)}")
                text.position += 1
        text.position += 1
        text.expect_end()


def load_json(path: str | Path) -> object:
    """Read a whole (small) JSON file. Raises UserError as `iterate_list` does."""
    with _open(path) as stream:
        text = _Text(path, stream, CHUNK_BYTES)
        value = text.value()
        text.expect_end()
        return value


def _open(path: str | Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, where a JSON file is expected.") from None


def _shown(character: str) -> str:
    return repr(character) if character else "the end of the file: it is truncated"


class _Text:
    """The part of the file's text that is still to be parsed, and where in the file it lies."""

    def __init__(self, path: str | Path, stream: BinaryIO, chunk_bytes: int):
        self.path = path
        self.context = "the first value"
        self.position = 0
        self._stream = stream
        self._chunk_bytes = chunk_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._buffer = ""
        self._line = 1  # of the buffer's first character, like `_column`
        self._column = 1
        self._ended = False
        self._bytes_read = len(codecs.BOM_UTF8)
        if stream.read(self._bytes_read) != codecs.BOM_UTF8:
            stream.seek(0)
            self._bytes_read = 0

    def next_character(self) -> str:
        """Skip white space and give the character that follows, or "" at the end of the file."""
        while True:
            while self.position < len(self._buffer):
                if self._buffer[self.position] not in _SPACE:
                    return self._buffer[self.position]
                self.position += 1
            if not self._read_more():
                return ""

    def value(self) -> object:
        """Parse one JSON value."""
        if self.next_character() == "":
            if self._bytes_read == 0:
                raise UserError(f"{self.path}: the file is empty; JSON is expected.")
            self.fail(f"truncated JSON: the file ends before {self.context}")
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self.position)
            except json.JSONDecodeError as error:
                undecided = (
                    error.msg.startswith("Unterminated string")
                    or error.pos >= len(self._buffer) - _UNDECIDED
                )
                if undecided and self._read_more():
                    continue
                if undecided and (
                    error.msg.startswith("Unterminated") or error.pos >= len(self._buffer)
                ):
                    self.position = len(self._buffer)
                    self.fail(f"truncated JSON: the file ends inside {self.context}")
                self.position = error.pos
                self.fail(f"malformed JSON in {self.context}: {error.msg.removesuffix(' at')}")
            except (ValueError, RecursionError) as error:
                self.fail(f"malformed JSON in {self.context}: {error}")
            # At the end of the buffer, "1", "1." and "1e-" may all be the start of a longer number.
            if end >= len(self._buffer) - 2 and self._read_more():
                continue
            self.position = end
            return value

    def expect_end(self) -> None:
        extra = self.next_character()
        if extra:
            self.fail(f"the end of the file is expected, found {extra!r}")

    def fail(self, message: str) -> None:
        before = self._buffer[: self.position]
        n_lines = before.count("\n")
        column = len(before) - before.rfind("\n") if n_lines else self._column + len(before)
        raise UserError(f"{self.path}: line {self._line + n_lines}, column {column}: {message}.")

    def _read_more(self) -> bool:
        """Add text to the buffer, and drop what is parsed. False at the end of the file."""
        if self._ended:
            return False
        # At least as much as is waiting, so that a huge record isn't parsed again and again.
        n_waiting = len(self._buffer) - self.position
        data = self._stream.read(max(self._chunk_bytes, n_waiting))
        self._ended = not data
        n_pending = len(self._decoder.getstate()[0])
        try:
            decoded = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            offset = self._bytes_read - n_pending + error.start
            raise UserError(
                f"{self.path}: not UTF-8: byte {offset} (0x{error.object[error.start]:02x}), "
                f"in or after {self.context}: {error.reason}."
            ) from None
        if self._ended:
            return False
        parsed = self._buffer[: self.position]
        n_lines = parsed.count("\n")
        self._column = len(parsed) - parsed.rfind("\n") if n_lines else self._column + len(parsed)
        self._line += n_lines
        self._bytes_read += len(data)
        self._buffer = self._buffer[self.position :] + decoded
        self.position = 0
        return True
