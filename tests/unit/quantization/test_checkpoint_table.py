import json
import math

import pytest
import torch

from quantrag.quantization.checkpoint_table import COLUMNS, summarize_checkpoints
from quantrag.quantization.output_errors import relative_output_errors
from quantrag.quantization.perplexity import held_out_texts, perplexity


class Uniform(torch.nn.Module):
    """Every one of the tokens is as likely as the others."""

    def __init__(self, tokens: int):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(tokens))

    def forward(self, input_ids, use_cache):
        return type("Output", (), {"logits": self.weight.expand(*input_ids.shape, -1)})


def test_the_perplexity_of_a_guess_is_the_number_of_tokens():
    value, tokens = perplexity(Uniform(50), [[1, 2, 3], [4], [5, 6]])
    assert value == pytest.approx(50)
    assert tokens == 3


def test_no_token_has_no_perplexity():
    value, tokens = perplexity(Uniform(50), [[4]])
    assert math.isnan(value)
    assert tokens == 0


def test_held_out_texts_are_the_first_different_ones_of_each_task():
    def tokenizer(text):
        return {"input_ids": [ord(character) for character in text]}

    texts = held_out_texts([["ab", "ab", "c", "d"], ["efgh"]], tokenizer, 2, 3)
    assert texts == [[97, 98], [99], [101, 102, 103]]


class Layers(torch.nn.Module):
    """An embedding and two linear layers, as a language model of `transformers` calls them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = torch.nn.Embedding(20, 8)
        self.first = torch.nn.Linear(8, 6, bias=False)
        self.unused = torch.nn.Linear(8, 6, bias=False)
        self.base_model = self._run

    def _run(self, input_ids, use_cache):
        return self.first(self.embed(input_ids))


def test_output_errors_are_relative_norms_over_the_tokens_of_all_texts():
    model = Layers()
    texts = [[1, 2, 3], [4]]
    change = torch.randn(6, 8)

    def outputs(x):
        exact = x @ model.first.weight.T
        return exact, x @ (model.first.weight + change).T

    errors = relative_output_errors(model, {"first": outputs, "unused": outputs}, texts)
    x = model.embed(torch.tensor([1, 2, 3, 4]))
    expected = (x @ change.T).norm() / (x @ model.first.weight.T).norm()
    assert errors == {"first": pytest.approx(expected.item(), rel=1e-5)}


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
