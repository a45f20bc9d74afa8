"""Encoding and FAISS on a CUDA GPU against the same on the CPU."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    from transformers import BertConfig, BertModel

    from generation_samples import VOCABULARY, tiny_checkpoint

    folder = tiny_checkpoint(tmp_path_factory.mktemp("encoder") / "encoder")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=256,
        pad_token_id=0,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def texts():
    random = np.random.default_rng(0)
    lengths = random.integers(1, 200, 64)
    return pa.array([" ".join(f"w{i}" for i in random.integers(3, 300, n)) for n in lengths])


def test_float16_on_the_gpu_is_near_float32_on_the_cpu(encoder_folder, texts, monkeypatch):
    from quantrag.retrieval.encoder import Encoder, EncodingOptions
    from quantrag.retrieval.vectors import encode

    options = EncodingOptions(pooling="mean", normalize=True, max_length=256, dtype="auto")
    found = {
        dtype: encode(Encoder(encoder_folder, replace(options, dtype=dtype)), texts)
        for dtype in ("auto", "float32")
    }
    assert Encoder(encoder_folder, options).dtype_name == "float16"
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        exact = encode(Encoder(encoder_folder, replace(options, dtype="float32")), texts)
    assert (found["float32"] * exact).sum(1).min() > 1 - 1e-5
    assert (found["auto"] * exact).sum(1).min() > 1 - 1e-3


def test_faiss_on_the_gpu_ranks_as_numpy():
    faiss = pytest.importorskip("faiss")
    if faiss.get_num_gpus() == 0:
        pytest.skip("this FAISS is built for CPUs")
    from quantrag.retrieval.faiss_index import flat_index, retrieve
    from quantrag.retrieval.scopes import scopes_of

    random = np.random.default_rng(0)
    # Dimension 384 and scopes of 0 to 3,000 documents: more than a GPU sorts at once.
    sizes = [0, 1, 7, 300, 3000]
    vectors = random.standard_normal((sum(sizes), 384)).astype(np.float32)
    owners = [str(scope) for scope, size in enumerate(sizes) for _ in range(size)]
    asked = [str(scope) for scope in range(len(sizes))]
    scopes = scopes_of(pa.table({"scope_id": asked}), pa.table({"scope_id": owners}))
    queries = random.standard_normal((len(asked), 384)).astype(np.float32)
    index = flat_index(vectors, np.arange(len(vectors)))
    for query, (rows, scores) in enumerate(retrieve(index, queries, scopes, None)):
        start, stop = scopes.slice_of(query)
        assert sorted(rows) == list(range(start, stop))
        products = vectors[rows] @ queries[query]
        np.testing.assert_allclose(scores, products, rtol=1e-4, atol=1e-4)
