"""Made-up entries of tasks of kind `questions`, and the reading of their tables."""

import json
from pathlib import Path

from quantrag.tasks import questions
from quantrag.tasks.settings import QuestionsTask

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
    full = QuestionsTask.model_validate({**entry, **changes}).model_dump()
    tables = questions.read(questions.reading(full, split), questions.input_files(full, split))
    return [table.to_pylist() for table in tables]
