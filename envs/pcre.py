"""Stands in for PyPcre, which GPTQModel and Defuser import, in the demo's environment.

PyPcre comes as C source alone, and the demo must not ask for a compiler. The two match names of
modules and files with it: `regex`, installed as a wheel, reads those patterns the same way.
"""

import enum

import regex
from regex import Pattern, compile, escape, split

__all__ = ["Flag", "Pattern", "compile", "escape", "split"]


class Flag(enum.IntFlag):
    """PyPcre's names of the flags that are in use."""

    CASELESS = regex.IGNORECASE
    MULTILINE = regex.MULTILINE
    DOTALL = regex.DOTALL
