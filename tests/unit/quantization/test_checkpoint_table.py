"""The table of checkpoints and their layers."""

import json

import pytest

from quantrag.quantization.checkpoint_table import COLUMNS, summarize_checkpoints


def test_the_table_has_a_row_for_each_checkpoint_and_each_layer(tmp_path):
    entry = {"relative_error": 0.1, "output_error": 0.3, "bits_per_weight": 4.5}
    record = {
        "bits_per_weight": 4.5,
        "modules": [
            {"module": "model.layers.0.self_attn.q_proj", **entry},
            {"module": "model.layers.11.mlp.up_proj", **entry, "relative_error": 0.2},
        ],
    }
    quantized, original = tmp_path / "quantized", tmp_path / "original"
    quantized.mkdir(), original.mkdir()
    (quantized / "quantization.json").write_text(json.dumps(record))
    measured = []
    for folder, method, value in ((original, "none", 20.0), (quantized, "gptq", None)):
        file = tmp_path / f"{method}.json"
        file.write_text(json.dumps({"perplexity": value, "tokens": 7, "weight_bytes": 99}))
        measured.append(("m", folder.name, method, folder, file))
    table = summarize_checkpoints(measured)
    assert list(table.columns) == COLUMNS
    assert table["precision"].tolist() == ["original", "quantized", "quantized", "quantized"]
    assert table["layer"].isna().tolist() == [True, True, False, False]
    assert table["layer"].dropna().tolist() == [0, 11]
    assert table["module"].dropna().tolist() == ["q_proj", "up_proj"]
    assert table["weight_error"].tolist()[1:] == pytest.approx([0.15, 0.1, 0.2])
    assert table["perplexity"].notna().tolist() == [True, False, False, False]
