import json

import pytest

from quantrag.errors import UserError
from quantrag.quantization.calibration import SCHEMA, normalize
from quantrag.quantization.calibration_sources import (
    choose_given_texts,
    read_corpora,
    read_dataset,
    read_lines,
)
from quantrag.tables import write_table
from quantrag.tasks.schemas import DOCUMENTS, Rows


def tokenizer(text):
    """One token a word."""
    return {"input_ids": list(range(len(text.split())))}


def choose(texts, evaluated=(), count=10, max_tokens=100, seed=0):
    given = frozenset(map(normalize, evaluated))
    return choose_given_texts(
        texts, given, tokenizer, count=count, max_tokens=max_tokens, seed=seed
    )


def test_a_file_gives_a_text_a_line(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("one text\n\n  \nanother, mit Umlaut: ü\n", encoding="utf-8")
    assert read_lines(file) == ["one text", "another, mit Umlaut: ü"]


def test_a_missing_or_binary_file_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_lines(tmp_path / "texts.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        read_lines(tmp_path / "binary")


def test_passages_of_corpora_come_with_their_titles(tmp_path):
    documents = Rows(DOCUMENTS)
    documents.add("a", "corpus", "One.", "Title", "")
    documents.add("b", "corpus", "Two.", "", "")
    write_table(documents.table(), tmp_path / "documents.parquet")
    assert read_corpora([tmp_path / "documents.parquet"] * 2) == ["Title\nOne.", "Two."] * 2


def test_a_folder_is_a_data_set(tmp_path):
    rows = [{"text": "a first text", "title": "x"}, {"text": "", "title": "y"}]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = {"revision": None, "subset": None, "split": "train"}
    assert read_dataset(str(tmp_path), column="text", **arguments) == ["a first text"]
    assert read_dataset(str(tmp_path), column="title", **arguments) == ["x", "y"]
    with pytest.raises(UserError, match=r"no column 'body'\. It has: text, title"):
        read_dataset(str(tmp_path), column="body", **arguments)
    with pytest.raises(UserError, match="data set"):
        read_dataset(str(tmp_path), column="text", **{**arguments, "split": "test"})


def test_a_data_set_on_the_hub_needs_a_revision():
    with pytest.raises(UserError, match="needs a revision"):
        read_dataset("owner/name", None, None, "train", "text")


def test_texts_are_chosen_by_the_seed_and_cut():
    texts = [f"text number {i} " + "word " * i for i in range(30)]
    table = choose(texts, count=5, max_tokens=8)
    assert table.schema == SCHEMA
    assert table == choose(texts, count=5, max_tokens=8)
    assert table != choose(texts, count=5, max_tokens=8, seed=1)
    for row in table.to_pylist():
        assert row["text"] == texts[int(row["query_id"])]
        assert row["n_tokens"] == len(row["token_ids"]) <= 8


def test_an_evaluated_text_is_never_chosen_not_even_inside_another():
    texts = ["Quantized  Models are small", "before. quantized models ARE small. after", "fine"]
    table = choose(texts, evaluated=["quantized models are small"])
    assert table["text"].to_pylist() == ["fine"]
    with pytest.raises(UserError, match="no calibration text"):
        choose(texts[:2], evaluated=["quantized models are small"])


@pytest.mark.parametrize("short", ["Good", "a", "It is great"])
def test_a_short_evaluated_text_excludes_only_itself(short):
    texts = [f"{short} and more of it, all in all", short.upper(), "fine"]
    table = choose(texts, evaluated=[short.lower()])
    assert sorted(table["text"].to_pylist()) == sorted([texts[0], "fine"])


@pytest.mark.parametrize(
    "inside", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_only_line_feeds_end_a_text(tmp_path, inside, end, start):
    path = tmp_path / "texts.txt"
    path.write_bytes(f"{start}one{inside}text{end}{end}second{end}third".encode())
    assert read_lines(path) == [f"one{inside}text", "second", "third"]
