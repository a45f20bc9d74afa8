"""Read large JSON files record by record, with errors that say where the file is broken.

LaMP's question files are one list of up to a gigabyte, on a single line. `json.load` would hold
the bytes, the text (four bytes a character as soon as there is one emoji) and every object at
once; here the file is mapped, its records are told apart by their brackets, and the standard
library parses one at a time.

ijson doesn't serve: its C backend turns half of a surrogate pair (`\\ud83d`) into "?" without a
word, where the checks of records would name it, refuses integers of more than 64 bits, doesn't say
where an error is, and needs memory that grows with the square of the nesting.
"""

import codecs
import contextlib
import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from quantrag.errors import UserError

# A string (the last may lack its end), an object with no other in it, or what separates values.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_TOKEN = re.compile(rb'\{(?:[^][{}"]++|%b)*+\}|%b|[][{},]' % (_STRING, _STRING), flags=re.DOTALL)
_NOT_BLANK = re.compile(rb"[^ \t\n\r]")
_CHUNK = 2**20


def iterate_list(path: str | Path) -> Iterator[object]:
    """Yield the elements of a JSON file that is one list, in order.

    Args:
        path: a UTF-8 file (a byte order mark is accepted).

    Raises:
        UserError: the file is missing, not UTF-8 (with the byte offset), not JSON or truncated
            (with line and column, from 1), or not a list.
    """
    with _open(path) as file:
        start = file.first(file.start)
        if file.data[start : start + 1] != b"[":
            file.fail(start, f"a list ('[') is expected, found {file.shown(start)}")
        start += 1
        depth, n_read = 1, 0
        for token in _TOKEN.finditer(file.data, start):
            end, kind = token.start(), file.data[token.start() : token.start() + 1]
            last = file.data[token.end() - 1 : token.end()]
            if kind != b'"':
                depth += (kind in b"[{") - (last in b"]}")
            if depth > 1 or (depth == 1 and kind != b","):
                continue
            # The only list without an element in front of its end is the empty one.
            if kind == b"," or n_read or file.first(start) < end:
                n_read += 1
                yield file.parse(start, end, f"record {n_read}")
            start = token.end()
            if depth == 0:
                break
        else:
            file.parse(start, len(file.data), f"record {n_read + 1}")
            file.fail(len(file.data), f"truncated JSON: the file ends after record {n_read + 1}")
        if kind != b"]":
            file.fail(end, f"',' or ']' is expected, found {file.shown(end)}")
        extra = file.first(start)
        if extra < len(file.data):
            file.fail(extra, f"the end of the file is expected, found {file.shown(extra)}")


def load_json(path: str | Path) -> object:
    """Read a whole (small) JSON file. Raises UserError as `iterate_list` does."""
    with _open(path) as file:
        return file.parse(file.start, len(file.data), "the file")


@contextlib.contextmanager
def _open(path: str | Path) -> Iterator["_File"]:
    try:
        with open(path, "rb") as stream:
            if stream.seek(0, 2) == 0:
                raise UserError(f"{path}: the file is empty; JSON is expected.")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield _File(path, data)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, where a JSON file is expected.") from None


class _File:
    """A mapped file; all positions are byte offsets."""

    def __init__(self, path: str | Path, data: mmap.mmap):
        self.path, self.data = path, data
        self.start = len(codecs.BOM_UTF8) if data[:3] == codecs.BOM_UTF8 else 0

    def first(self, start: int) -> int:
        """Offset of the first byte from `start` on that isn't white space, or the file's size."""
        found = _NOT_BLANK.search(self.data, start)
        return found.start() if found else len(self.data)

    def shown(self, offset: int) -> str:
        if offset == len(self.data):
            return "the end of the file: it is truncated"
        return repr(self.data[offset : offset + 4].decode(errors="replace")[:1])

    def parse(self, start: int, end: int, name: str) -> object:
        """The value from `start` to `end`, which is `name` in messages."""
        data = self.data[start:end]
        try:
            text = data.decode()
            return json.loads(text)
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self.path}: not UTF-8: byte {start + error.start} (0x{data[error.start]:02x}), "
                f"in {name}: {error.reason}."
            ) from None
        except json.JSONDecodeError as error:
            offset = start + len(text[: error.pos].encode())
            if end == len(self.data) and (
                error.msg.startswith("Unterminated string") or self.first(offset) == end
            ):
                self.fail(end, f"truncated JSON: the file ends inside {name}")
            self.fail(offset, f"malformed JSON in {name}: {error.msg.removesuffix(' at')}")
        except (ValueError, RecursionError) as error:
            self.fail(self.first(start), f"malformed JSON in {name}: {error}")

    def fail(self, offset: int, message: str) -> NoReturn:
        line = 1 + sum(1 for _ in re.finditer(rb"\n", self.data[:offset]))
        line_start = max(self.data.rfind(b"\n", 0, offset) + 1, self.start)
        parts = (self.data[i : min(i + _CHUNK, offset)] for i in range(line_start, offset, _CHUNK))
        # Each character has one byte that continues no other.
        column = 1 + sum(len(part.translate(None, bytes(range(0x80, 0xC0)))) for part in parts)
        raise UserError(f"{self.path}: line {line}, column {column}: {message}.")
