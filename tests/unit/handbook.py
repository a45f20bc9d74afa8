"""Made-up entries of tasks of kind `questions`, and the reading of their tables."""

import json
import tempfile
from pathlib import Path

import pyarrow as pa

from quantrag.tables import table_metadata, write_table
from quantrag.tasks import questions
from quantrag.tasks.settings import QuestionsTask
from quantrag.tasks.task import CORPUS

LEAVE = "# Leave\n\nEverybody has thirty days\nof leave.\n\n## Sick leave\n\nCall before nine.\n"
PAY = "# Pay\n\nPay comes on the last day of the month.\n"
QUESTIONS = (
    {"id": "q1", "question": "How many days?", "answers": ["thirty", "30"], "evidence": "leave.md"},
    {"id": 2, "question": "When is payday?", "answers": "the last day", "level": "easy"},
    {"id": "q3", "question": "Who is the boss?"},
)


def write_lines(path: Path, records) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def write_handbook(folder: Path, records=QUESTIONS) -> dict:
    """A folder with two pages and a file of questions; gives the config's entry."""
    (folder / "handbook").mkdir()
    (folder / "handbook" / "leave.md").write_text(LEAVE, encoding="utf-8")
    (folder / "handbook" / "pay.md").write_text(PAY, encoding="utf-8")
    file = write_lines(folder / "questions.jsonl", records)
    return {
        "kind": "questions",
        "corpus": {"files": f"{folder}/handbook/*.md"},
        "questions": {"file": str(file)},
        "answer": "short",
    }


def read(entry: dict, split: str = "evaluated", **changes):
    """Queries and documents of an entry, as lists of rows."""
    tables = read_tables(QuestionsTask.model_validate({**entry, **changes}).model_dump(), split)
    return [table.to_pylist() for table in tables]


def read_tables(entry: dict, split: str = "evaluated") -> tuple[pa.Table, pa.Table]:
    """The same as tables; the entry has its defaults."""

    def tables_of(split: str, **more: str) -> dict[str, pa.Table]:
        files = questions.input_files(entry, split) | more
        return questions.read(questions.reading(entry, split), files)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "documents.parquet")
        tables = tables_of(CORPUS)
        write_table(tables["documents"], path, table_metadata(tables["documents"].schema))
        tables |= tables_of(split, documents=str(path))
    return tables["queries"], tables["documents"]
