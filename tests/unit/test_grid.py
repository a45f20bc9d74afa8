"""k and cells: their strings, order and budgets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.grid import K_ZERO, Cell, K, cells_of, ks_of, retrievers_with_none

NUMBERS = st.builds(K, st.just(False), st.integers(0, 10**6))
WINDOWS = st.builds(K, st.just(True), st.integers(1, 10**6))
KS = NUMBERS | WINDOWS
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
CELLS = st.builds(Cell, NAMES, NAMES, KS)


@given(KS)
def test_k_comes_back_from_its_string(k):
    assert K.parse(str(k)) == k
    assert k.label in str(k)


@pytest.mark.parametrize(
    ("text", "k"),
    [("0", K_ZERO), ("3", K(False, 3)), ("12", K(False, 12)), ("max_4K", K(True, 4))],
)
def test_k_as_it_is_written(text, k):
    assert K.parse(text) == k


@pytest.mark.parametrize(
    "text",
    ["", "-1", "03", "3.0", " 3", "3\n", "²", "٣", "max", "max_K", "max_0K", "max_04K", "max_4k",
     "max_4K ", "4K"],
)  # fmt: skip
def test_other_strings_are_no_k(text):
    with pytest.raises(
        UserError, match=r"k .* is not allowed\. Allowed: a whole number from 0, or"
    ):
        K.parse(text)


@given(st.lists(NUMBERS), st.lists(WINDOWS), st.randoms())
def test_numbers_come_before_windows_by_size(numbers, windows, random):
    ks = [*numbers, *windows]
    random.shuffle(ks)
    expected = [str(n) for n in sorted(k.number for k in numbers)]
    expected += [f"max_{n}K" for n in sorted(k.number for k in windows)]
    assert [str(k) for k in sorted(ks)] == expected


@given(KS, st.integers(1, 10**6), st.integers(1, 10**4), st.integers(0, 500))
def test_window_and_documents(k, context, max_new_tokens, ranked):
    assert 0 < k.window(context) <= context
    assert k.budget(context, max_new_tokens) == k.window(context) - max_new_tokens
    assert k.asked(ranked) <= ranked
    assert (k.asked(500) > 0) == k.needs_retriever


def test_budgets():
    assert K.parse("3").budget(4096, 64) == 4032
    assert K.parse("max_4K").budget(8192, 64) == 4032
    assert K.parse("max_8K").budget(4096, 64) == 4032
    assert [K.parse(k).asked(4) for k in ("0", "3", "9", "max_4K")] == [0, 3, 4, 4]
    assert K.parse("9").asked(2.5) == 2.5


@given(CELLS)
def test_cell_comes_back_from_its_paths(cell):
    assert Cell.parse(str(cell)) == cell
    assert Cell.parse(f"results/x/completions/m/p/{cell.file}") == cell


def test_cell_as_it_is_written():
    assert str(Cell("LaMP-3U", "bm25", K(True, 4))) == "LaMP-3U/bm25/kmax_4K"
    assert Cell("t", "none", K_ZERO).file == "t/none/k0.parquet"


@pytest.mark.parametrize("path", ["", "k3", "bm25/k3", "t/bm25/3", "t/bm25/k3.csv", "t/bm25/kx"])
def test_other_paths_are_no_cell(path):
    with pytest.raises(UserError, match=r"is not allowed|not a cell's path"):
        Cell.parse(path)


def test_grid_has_no_retrieval_once_per_task():
    ks = [K.parse(k) for k in ("1", "0", "max_1K")]
    assert [str(cell) for cell in cells_of(["a", "b"], ["bm25", "dpr"], ks)] == [
        f"{task}/{cell}"
        for task in ("a", "b")
        for cell in ("none/k0", "bm25/k1", "bm25/kmax_1K", "dpr/k1", "dpr/kmax_1K")
    ]
    assert cells_of(["a"], ["bm25"], [K(False, 1)]) == [Cell("a", "bm25", K(False, 1))]
    assert ks_of("bm25", ks) == [ks[0], ks[2]]
    assert retrievers_with_none(["none"], [K_ZERO]) == ["none"]
