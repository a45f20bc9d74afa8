"""Every format of the configuration has its reader."""

from typing import get_args

from quantrag.recorded.formats import FORMATS, read
from quantrag.recorded.settings import RecordedSettings


def test_formats_are_those_of_the_configuration():
    assert list(FORMATS) == list(get_args(RecordedSettings.model_fields["format"].annotation))
    assert all(callable(module.read) for module in FORMATS.values())


def test_a_file_is_read_as_its_format_says(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"item": "7", "reply": "four", "gold": "4"}\n', encoding="utf-8")
    settings = RecordedSettings(
        format="table",
        results=[{"model": "m", "precision": "p", "task": "t", "files": str(path)}],
        columns={"answer": "reply"},
    )
    [record] = read(settings.format, str(path), settings.options())
    assert (record.item, record.text, record.golds) == ("7", "four", ("4",))
