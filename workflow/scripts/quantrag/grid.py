"""The coordinates of the grid: k, and a cell of task, retriever and k.

Nothing else reads or writes these strings: in the configuration, in paths and in the column `k` of
tables.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self, TypeVar

from quantrag.errors import UserError
from quantrag.names import NO_RETRIEVER

#: Forms of k, for messages.
K_FORMS = "a whole number from 0, or max_nK with n from 1 (such as max_4K)"

_NUMBER = re.compile(r"0|[1-9][0-9]*")
_WINDOW = re.compile(r"max_([1-9][0-9]*)K")
_SUFFIX = ".parquet"

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, order=True)
class K:
    """How many retrieved documents go into a prompt: so many, or as many as fit into a window.

    Numbers come before windows, both by size.

    Attributes:
        fills: whether it is `max_nK`, which fills a window with whole documents.
        number: of documents (0 or more) or, where it fills a window, the window's n (1 or more), in
            units of 1,024 tokens.
    """

    fills: bool
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The k that a configuration, path or table writes as `text`, such as `3` or `max_4K`.

        Raises UserError for anything else.
        """
        if _NUMBER.fullmatch(text):
            return cls(False, int(text))
        if window := _WINDOW.fullmatch(text):
            return cls(True, int(window[1]))
        raise UserError(f"k {text!r} is not allowed. Allowed: {K_FORMS}")

    def __str__(self) -> str:
        return f"max_{self.number}K" if self.fills else str(self.number)

    @property
    def label(self) -> str:
        """In print: `3` stays, `max_4K` becomes `4K`."""
        return f"{self.number}K" if self.fills else str(self.number)

    @property
    def needs_retriever(self) -> bool:
        """Whether any document may go into the prompt; not at k = 0."""
        return self.fills or self.number > 0

    def window(self, context: int) -> int:
        """Tokens of the prompt and its answer together.

        Args:
            context: context length of the model in tokens, which no window exceeds.
        """
        return min(self.number * 1024, context) if self.fills else context

    def budget(self, context: int, max_new_tokens: int) -> int:
        """Most tokens of a prompt: what the window leaves beside an answer of `max_new_tokens`."""
        return self.window(context) - max_new_tokens

    def asked(self, ranked: _Number) -> _Number:
        """How many of so many ranked documents are to go into the prompt, if there is room."""
        return ranked if self.fills else min(self.number, ranked)


#: Prompts without documents.
K_ZERO = K(False, 0)


@dataclass(frozen=True)
class Cell:
    """A task, a retriever (`none` at k = 0) and a k.

    Every model and precision answers the same cells.
    """

    task: str
    retriever: str
    k: K

    @classmethod
    def parse(cls, path: str | PurePath) -> Self:
        """The cell that the last three parts of a path name, with or without `.parquet`.

        Raises UserError where they don't name one.
        """
        parts = PurePath(path).parts[-3:]
        name = parts[-1].removesuffix(_SUFFIX) if len(parts) == 3 else ""
        if not name.startswith("k"):
            raise UserError(f"{path}: not a cell's path. Allowed: {{task}}/{{retriever}}/k{{k}}")
        return cls(parts[0], parts[1], K.parse(name[1:]))

    def __str__(self) -> str:
        return f"{self.task}/{self.retriever}/k{self.k}"

    @property
    def file(self) -> str:
        """Path of the cell's file under the folder of a model and precision."""
        return f"{self}{_SUFFIX}"


def retrievers_with_none(retrievers: Iterable[str], ks: Sequence[K]) -> list[str]:
    """The retrievers that prompts are built for: `none` first where k = 0 is asked for."""
    named = [name for name in retrievers if name != NO_RETRIEVER]
    return [*([NO_RETRIEVER] if K_ZERO in ks else []), *named]


def ks_of(retriever: str, ks: Iterable[K]) -> list[K]:
    """The values of k that a retriever is asked for: only 0 for `none`, all others for the rest."""
    return [k for k in ks if k.needs_retriever == (retriever != NO_RETRIEVER)]


def cells_of(tasks: Iterable[str], retrievers: Iterable[str], ks: Sequence[K]) -> list[Cell]:
    """Every cell of a grid, in its order; k = 0 needs no retriever and is there once per task."""
    names = retrievers_with_none(retrievers, ks)
    return [Cell(task, name, k) for task in tasks for name in names for k in ks_of(name, ks)]
