"""Tokens and keys from the environment: cleaned of what pasting adds, and never printed."""

import logging
import os
import re
import unicodedata

from quantrag.errors import UserError

#: The environment variables that hold a secret.
SECRETS = ("HF_TOKEN", "OPENAI_API_KEY")
# What a page, a file or a shell's configuration puts around a value, and no key has at its ends.
_AROUND = "\"'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
_USER_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")


def secret(variable: str) -> str | None:
    """The token or key in an environment variable; None if it isn't set or is empty.

    White space, line breaks, invisible characters and quotation marks around it can only come from
    pasting, and are left out.

    Raises:
        UserError: it holds a character that can't stand in an HTTP header. The message doesn't show
            the value.
    """
    return _clean(os.environ.get(variable, ""), variable) or None


def address(variable: str) -> str:
    """The URL in an environment variable, cleaned like a `secret`; empty if it isn't set."""
    return _clean(os.environ.get(variable, ""), variable)


def redact(text: str) -> str:
    """The text without the values of the secret variables, and without passwords in URLs.

    Covers a value as it stands, without what pasting added, and as Python prints it (`\\n`).
    """
    for variable in SECRETS:
        value = os.environ.get(variable, "")
        forms = {value, value.strip(), _stripped(value), *value.split()}
        forms |= {repr(form)[1:-1] for form in forms}
        forms |= {ascii(form)[1:-1] for form in forms}
        # Shorter ones would be words of the message.
        for form in sorted((form for form in forms if len(form) >= 4), key=len, reverse=True):
            text = text.replace(form, "***")
    return _USER_IN_URL.sub("***@", text)


class RedactingFormatter(logging.Formatter):
    """Formats log records like its base class, and redacts them, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _clean(value: str, variable: str) -> str:
    value = _stripped(value)
    for place, character in enumerate(value, 1):
        if not "!" <= character <= "~":
            name = unicodedata.name(character, "a control character").lower()
            raise UserError(
                f"the environment variable {variable} holds a character that can't be part of it "
                f"({name}, U+{ord(character):04X}, character {place} of {len(value)}): copy it "
                "again, without what stands around it. (Its value is not shown.)"
            )
    return value


def _stripped(value: str) -> str:
    while value != (value := value.strip().strip(_INVISIBLE).removeprefix("\ufeff").strip(_AROUND)):
        pass
    return value
