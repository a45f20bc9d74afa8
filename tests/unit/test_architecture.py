"""docs/architecture.md says what the code says: rooms, and the columns of the files on disk."""

import re

import pytest

from quantrag.generation.cell_tables import COMPLETIONS_SCHEMA
from quantrag.prompts.build import PROMPT_SCHEMA
from quantrag.quantization.calibration import SCHEMA as CALIBRATION_SCHEMA
from quantrag.retrieval.runs import SCHEMA as RUN_SCHEMA
from quantrag.tasks.schemas import DOCUMENTS, QUERIES
from test_rooms import ROOMS


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_rooms_are_listed_in_their_order(page):
    table = page.partition("| room | what it does |")[2].partition("\n\n")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = re.findall(r"`(\w+)(?:\.py|/)`", " ".join(first_cells))
    assert named[5:] == ROOMS[5:]
    assert set(named[:5]) == set(ROOMS[:5])


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("queries.parquet", QUERIES),
        ("documents.parquet", DOCUMENTS),
        ("runs/...", RUN_SCHEMA),
        ("calibration/...", CALIBRATION_SCHEMA),
        ("prompts/...", PROMPT_SCHEMA),
        ("completions/...", COMPLETIONS_SCHEMA),
    ],
)
def test_every_column_on_disk_is_explained(page, file, schema):
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{file}` |")]
    assert [name for name in schema.names if f"`{name}`" not in row] == []
