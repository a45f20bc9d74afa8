"""Checks of single fields of records, and the list of what is wrong with them."""

import logging
from collections.abc import Mapping

from quantrag.errors import UserError

log = logging.getLogger(__name__)

N_EXAMPLES = 5
#: Where more of the questions or documents would be dropped, the file isn't what it should be.
MOST_DROPPED = 0.05


class Problems:
    """Wrong records: all are counted, the first few of each kind are kept as examples."""

    def __init__(self) -> None:
        self.total = 0
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, message: str) -> None:
        self.total += 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < N_EXAMPLES:
            examples.append(message)

    def raise_if_any(self) -> None:
        """Raise one UserError. Its first line stands alone: a terminal shows no more."""
        if self.total:
            raise UserError(self.summary())

    def summary(self) -> str:
        """Examples of all kinds, and how many problems there are in all."""
        # One of each kind first, so that many of one kind don't hide the others.
        rounds = range(N_EXAMPLES)
        shown = [e[i] for i in rounds for e in self._examples.values() if i < len(e)][:N_EXAMPLES]
        message = f"{shown[0]}."
        if self.total > 1:
            message += f" ({self.total} problems in all)"
            message += "".join(f"\n  {example}." for example in shown[1:])
        if self.total > len(shown):
            message += f"\n  ... and {self.total - len(shown)} more."
        return message

    def warn_if_few(
        self, paths: Mapping[str, object], dropped: Mapping[str, tuple[int, int]]
    ) -> None:
        """Log what was dropped.

        Args:
            paths: the file of each kind of record, for the messages.
            dropped: for each kind of record how many were dropped, and of how many.

        Raises:
            UserError: more than `MOST_DROPPED` of one kind.
        """
        for kind, (count, of) in dropped.items():
            if count > MOST_DROPPED * of:
                raise UserError(
                    f"{paths[kind]}: {count} of {of} {kind} are invalid, too many to leave out "
                    f"(at most {MOST_DROPPED:.0%}): {self.summary()}"
                )
        if self.total:
            counts = ", ".join(f"{count} of {of} {kind}" for kind, (count, of) in dropped.items())
            files = ", ".join(dict.fromkeys(str(paths[kind]) for kind in dropped))
            log.warning("%s: invalid records left out: %s. %s", files, counts, self.summary())


def read_identifier(record: dict, where: str, problems: Problems, key: str = "id") -> str | None:
    """The id under `key` as text, or None with a problem noted."""
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or not _is_unicode(value):
        found = json_type(value) if key in record else "no such key"
        problems.add("id", f"{where}: {key}: a string is expected, found {found}")
        return None
    return value


def read_text(record: dict, key: str, where: str, problems: Problems) -> str:
    """The text under `key`, or "" with a problem noted."""
    value = record.get(key)
    if not isinstance(value, str):
        found = json_type(value) if key in record else "no such key"
        problems.add("shape", f"{where}: {key}: a string is expected, found {found}")
        return ""
    if not value.strip():
        problems.add("empty", f"{where}: {key} is empty")
        return ""
    if not _is_unicode(value):
        problems.add(
            "unicode", f"{where}: {key} contains half of a surrogate pair (\\ud800-\\udfff)"
        )
        return ""
    return value


def read_rating(record: dict, key: str, where: str, problems: Problems) -> str:
    """The rating under `key` as "1".."5" (the files have strings or numbers), or ""."""
    value = record.get(key)
    try:
        number = float(value) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        number = None
    if isinstance(value, bool) or number not in (1, 2, 3, 4, 5):
        found = repr(value) if key in record else "missing"
        problems.add("rating", f"{where}: {key} is {found}; allowed: 1, 2, 3, 4, 5")
        return ""
    return str(int(number))


def _is_unicode(text: str) -> bool:
    """False for text with a lone surrogate, which JSON can escape but UTF-8 can't store."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    name = names.get(type(value), type(value).__name__)
    return f"{name} ({value!r:.40})" if isinstance(value, str | int | float) else name
