"""`docs/precisions.md`: which precision runs where, generated from the table that the checks read.

`make config-reference` writes it; a test fails when the file and the table differ.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a file: the package's parent folder takes the place of the script's own.
    sys.path[0] = str(Path(__file__).parents[2])

from quantrag.quantization.compatibility import DEVICES, ENGINES, KINDS, TABLE, Support

DOCUMENT = Path(__file__).parents[4] / "docs" / "precisions.md"

INTRODUCTION = """\
# Precisions: what runs where

Generated from `workflow/scripts/quantrag/quantization/compatibility.py` by `make config-reference`:
change that file, not this one.

A precision is an entry of `precisions` in the configuration. Before any job the workflow looks up
every row that an entry belongs to, for `generation.engine` and `generation.device`, and stops with
the reason where one says no. The hardware itself is only known where the job runs: a GPU's compute
capability and a CPU's AVX-512 are checked there, before the model is loaded; a CPU's also before
any job, where jobs run on the machine that plans them. With the engine `openai` the server decides.

All precisions of an experiment run on one engine: two engines differ by more than the precision.
What vLLM cannot run is compared with a baseline on `transformers`, in an experiment of its own.

Which of these were run, and on what: [status.md](status.md).
"""


def precisions_reference() -> str:
    """The document as Markdown."""
    columns = [(engine, device) for engine in ENGINES for device in DEVICES]
    head = ["precision", *(f"{engine}, {_device(device)}" for engine, device in columns)]
    lines = [_row(head), "|" + "---|" * len(head)]
    notes: dict[str, int] = {}
    for kind, entry in KINDS.items():
        cells = [_cell(TABLE[kind, engine, device], notes) for engine, device in columns]
        lines.append(_row([entry, *cells]))
    footnotes = [f"{number}. {_sentence(note)}" for note, number in notes.items()]
    return "\n".join([INTRODUCTION, *lines, "", *footnotes, ""])


def _device(device: str) -> str:
    return {"cuda": "GPU", "cpu": "CPU"}[device]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(support: Support, notes: dict[str, int]) -> str:
    text = "no" if support.refusal else "yes"
    if support.needs.capability:
        text = "from {}.{}".format(*support.needs.capability)
    note = support.refusal or support.needs.reason or support.note
    return f"{text} ({notes.setdefault(note, len(notes) + 1)})" if note else text


def _sentence(note: str) -> str:
    return (
        note[0].upper() * (not note.startswith("vLLM")) + note[not note.startswith("vLLM") :] + "."
    )


if __name__ == "__main__":
    DOCUMENT.write_text(precisions_reference(), encoding="utf-8")
    print(DOCUMENT)
