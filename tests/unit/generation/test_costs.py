import json

import pytest

from quantrag.errors import UserError
from quantrag.generation.costs import COST_COLUMNS, join_costs

USABLE = {"fp16": {"24 GiB": 21.6, "80 GiB": 72.0}, "int4": {"24 GiB": 21.6}}


def test_files_become_rows_in_their_order(tmp_path):
    paths = []
    for precision in ("fp16", "int4"):
        entry = {**dict.fromkeys(COST_COLUMNS, 1), "precision": precision, "energy_wh": None}
        entry["memory_gib"] = {"fp16": 20.7, "int4": None}[precision]
        paths.append(tmp_path / f"{precision}.json")
        paths[-1].write_text(json.dumps({**entry, "other": 1}))
    table = join_costs(reversed(paths), USABLE)
    assert table.columns.tolist() == COST_COLUMNS
    assert table["precision"].tolist() == ["int4", "fp16"]
    assert table["energy_wh"].isna().all()
    # With a GiB of workspace just too much for the smaller card; and unknown where memory is.
    assert table["smallest_gpu"].fillna("").tolist() == ["", "80 GiB"]


def test_whole_numbers_stay_whole_beside_an_unknown_one(tmp_path):
    paths = []
    for precision, tokens in (("fp16", 200_000), ("int4", None)):
        entry = {**dict.fromkeys(COST_COLUMNS, 1), "precision": precision, "cache_tokens": tokens}
        paths.append(tmp_path / f"{precision}.json")
        paths[-1].write_text(json.dumps(entry))
    lines = join_costs(paths, USABLE)[["cache_tokens"]].to_csv(index=False).split()
    assert lines == ["cache_tokens", "200000", '""']


@pytest.mark.parametrize("key", ["settings_hash", "prompts_hash"])
def test_precisions_of_a_model_were_generated_alike(tmp_path, key):
    paths = []
    for model, precision, value in (("a", "fp16", "x"), ("b", "fp16", "y"), ("a", "int4", "z")):
        entry = {**dict.fromkeys(COST_COLUMNS, 1), "model": model, "precision": precision}
        paths.append(tmp_path / f"{model}-{precision}.json")
        paths[-1].write_text(json.dumps({**entry, key: value}))
    assert len(join_costs(paths[:2], USABLE)) == 2
    with pytest.raises(UserError, match=f"a at int4 .* other {key[:-5]} than at fp16"):
        join_costs(paths, USABLE)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "without the keys"), ('{"model": "m"}', "precision, engine")],
)
def test_broken_files_are_named(tmp_path, text, message):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"broken.*{message}"):
        join_costs([path], USABLE)
