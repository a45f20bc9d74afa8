"""The generated reference and schemas are what the sections say now."""

import pytest

from quantrag.config.reference import README, SCHEMAS, config_reference, schema_text


def test_the_reference_is_up_to_date():
    assert README.read_text() == config_reference(), "run `make config-reference`"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_schemas_are_up_to_date(path):
    assert path.read_text() == schema_text(path), "run `make config-reference`"


def test_the_reference_has_every_key_with_its_default():
    text = config_reference()
    assert "| `seed` | integer ≥ 0 | `0` | Seed of everything" in text
    assert "| `confidence` | number > 0.5 < 1 | `0.95` |" in text
    assert "| `max_queries` | integer ≥ 1 or null | `null` |" in text
    assert "`[0, 1, 3, 5, max_4K, max_8K]`" in text
    assert "### `precisions.<name>` with `method: gptq`" in text
    assert text.count("### `precisions.<name>.calibration`") == 1
    assert "#### `retrievers.<name>.query_encoder` with `kind: huggingface`" in text


def test_files_that_the_reference_names_are_there(root):
    shipped = {path.name for path in (root / "config").glob("*.yaml")}
    others = {"published.yaml", "estimate.yaml"}
    assert {name for name in shipped if f"`{name}`" in config_reference()} >= shipped - others
