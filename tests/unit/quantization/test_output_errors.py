"""Errors of outputs by hand."""

import pytest
import torch

from quantrag.quantization.output_errors import relative_output_errors


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
