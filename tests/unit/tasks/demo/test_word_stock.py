"""The YAML files that the demo's texts are made of."""

import re
from pathlib import Path

import pytest

from quantrag.tasks.demo import word_stock
from quantrag.tasks.demo.word_stock import read_stock

STOCKS = sorted(path.stem for path in Path(word_stock.__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("name", STOCKS)
def test_keys_keep_the_order_of_the_file(name):
    text = Path(word_stock.__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")  # what the keys mean
    found = [key.strip("\"'") for key in re.findall(r"^([^#\s][^:\n]*):", text, re.MULTILINE)]
    assert list(read_stock(name)) == found


@pytest.mark.parametrize("name", ["topics", "products"])
def test_every_kind_has_the_same_keys(name):
    kinds = read_stock(name)
    assert len(kinds) == 12
    assert len({frozenset(stock) for stock in kinds.values()}) == 1
