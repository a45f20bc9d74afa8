"""Text and Markdown files as documents: which files a pattern means, and what they are called."""

import glob
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from quantrag.errors import UserError

_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd")
_WILDCARD = re.compile(r"[*?[]")
# CommonMark's ATX headings and fences; in between, a "#" is a comment of some program.
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def matching_files(pattern: str) -> list[str]:
    """Paths of the files that a pattern means (`**` is any number of folders), sorted.

    Hidden files are none of them, unless the pattern names them.
    """
    # More than one "**" finds a file more than once.
    found = map(Path, glob.glob(pattern, recursive=True))
    return sorted({str(path) for path in found if path.is_file()})


def root_of(pattern: str) -> Path:
    """The folder in front of a pattern's first wildcard, below which documents have their ids."""
    parts = Path(pattern).parts
    fixed = next((n for n, part in enumerate(parts) if _WILDCARD.search(part)), len(parts) - 1)
    return Path(*parts[:fixed])


def read_text_files(paths: Iterable[str | Path], root: Path) -> Iterator[tuple[str, str, str]]:
    """Path, id (the path below `root`, with `/` on every system) and text of each file.

    Raises:
        UserError: as `read_text_file`.
    """
    for path in map(Path, paths):
        yield str(path), path.relative_to(root).as_posix(), read_text_file(path)


def read_text_file(path: str | Path) -> str:
    """The text of a file, with the line ends "\\n" and no byte order mark.

    Raises:
        UserError: the file is missing or not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error}).") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}.") from None


def is_markdown(path: str | Path) -> bool:
    """Whether a file's name says that it is Markdown."""
    return Path(path).suffix.lower() in _MARKDOWN


def headings(text: str) -> list[tuple[int, str]]:
    """Offset in characters and words of each heading (`# ...`) of a Markdown text, in order."""
    found, fence, offset = [], "", 0
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            closes = mark and mark[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if closes else fence
        elif mark:
            fence = mark[1]
        elif (heading := _HEADING.match(line)) and heading[1]:
            found.append((offset, heading[1]))
        offset += len(line) + 1
    return found
