"""Encoding many texts: each once, sorted by length, resumable."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.retrieval import vectors


class CountingEncoder:
    """Encodes a text as (number of tokens, sum of code points); can be killed in mid-run."""

    dimension = 2
    batch_tokens = 12

    def __init__(self, die_after=None, name="counting"):
        self.encoded, self.batches, self.die_after, self.name = [], 0, die_after, name

    def identity(self):
        return {"name": self.name}

    def tokenize(self, texts):
        return [[ord(c) for c in text] for text in texts]

    def encode(self, batch):
        if self.batches == self.die_after:
            raise KeyboardInterrupt
        self.batches += 1
        self.encoded += ["".join(map(chr, ids)) for ids in batch]
        return np.array([[len(ids), ids.sum()] for ids in batch], dtype=np.float32)


def strings(texts):
    return pa.array(texts, pa.large_string())


def expected(texts):
    return np.array([[len(t), sum(map(ord, t))] for t in texts], np.float32).reshape(-1, 2)


def stored(folder):
    values, of_document = vectors.read_vectors(folder)
    return values[of_document]


TEXTS = ["aa", "b", "aa", "ccccccc", "", "b", "dddddddddddddddddddd", "ee"]


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 100))
def test_batches_hold_every_text_once_within_the_budget(lengths, budget):
    lengths = np.array(lengths, dtype=np.int64)
    batches = vectors.batches_by_length(lengths, budget)
    together = [int(i) for batch in batches for i in batch]
    assert sorted(together) == list(range(len(lengths)))
    assert (np.diff(lengths[together]) <= 0).all()
    assert all(len(b) == 1 or len(b) * lengths[b].max() <= budget for b in batches)


def test_each_distinct_text_is_encoded_once(tmp_path):
    encoder = CountingEncoder()
    vectors.encode_to_folder(encoder, strings(TEXTS), tmp_path / "v")
    assert sorted(encoder.encoded) == sorted(set(TEXTS))
    np.testing.assert_array_equal(stored(tmp_path / "v"), expected(TEXTS))
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_in_memory_gives_the_same():
    found = vectors.encode(CountingEncoder(), strings(TEXTS))
    np.testing.assert_array_equal(found, expected(TEXTS))


def test_prefix_is_put_before_each_text():
    found = vectors.encode(CountingEncoder(), strings(["x"]), prefix="q: ")
    np.testing.assert_array_equal(found, expected(["q: x"]))


def test_no_documents(tmp_path):
    vectors.encode_to_folder(CountingEncoder(), strings([]), tmp_path / "v")
    assert stored(tmp_path / "v").shape == (0, 2)


def kill(folder, monkeypatch, texts=TEXTS, **options):
    monkeypatch.setattr(vectors, "SAVE_EVERY", 1)
    with pytest.raises(KeyboardInterrupt):
        vectors.encode_to_folder(CountingEncoder(2, **options), strings(texts), folder)
    assert not folder.exists()


def test_killed_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    vectors.encode_to_folder(CountingEncoder(), strings(TEXTS), tmp_path / "whole")
    kill(tmp_path / "v", monkeypatch)
    second = CountingEncoder()
    vectors.encode_to_folder(second, strings(TEXTS), tmp_path / "v")
    assert 0 < len(second.encoded) < len(set(TEXTS))
    for name in ("vectors.npy", "of_document.npy"):
        assert (tmp_path / "v" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("change", ["texts", "encoder", "prefix"])
def test_work_on_other_input_starts_over(tmp_path, monkeypatch, change):
    kill(tmp_path / "v", monkeypatch)
    texts = [*TEXTS[:-1], "ff"] if change == "texts" else TEXTS
    encoder = CountingEncoder(name="other" if change == "encoder" else "counting")
    prefix = "p" if change == "prefix" else ""
    vectors.encode_to_folder(encoder, strings(texts), tmp_path / "v", prefix)
    assert len(encoder.encoded) == len(set(texts))
    np.testing.assert_array_equal(stored(tmp_path / "v"), expected([prefix + t for t in texts]))


def test_torn_progress_file_starts_over(tmp_path, monkeypatch):
    kill(tmp_path / "v", monkeypatch)
    (tmp_path / "v.partial" / "progress.json").write_text('{"finge')
    encoder = CountingEncoder()
    vectors.encode_to_folder(encoder, strings(TEXTS), tmp_path / "v")
    assert len(encoder.encoded) == len(set(TEXTS))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("whole", [True, False])
def test_a_vector_that_is_not_finite_is_named_by_its_text(tmp_path, value, whole):
    class Broken(CountingEncoder):
        def encode(self, batch):
            vectors = super().encode(batch)
            for row, tokens in enumerate(batch):
                if len(tokens) == len("bad text"):
                    vectors[row, 0] = value
            return vectors

    texts = strings(["fine", "bad text", "also fine"])
    broken = Broken()
    with pytest.raises(UserError, match=r"not finite .*'bad text'.*float32"):
        vectors.encode(broken, texts) if whole else vectors.encode_to_folder(
            broken, texts, tmp_path
        )
