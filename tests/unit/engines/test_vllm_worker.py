"""What vLLM's worker says of its model, with torch modules that have what vLLM's have."""

from types import SimpleNamespace

import torch
from torch import nn

from quantrag.engines import vllm_worker


class MacheteLinearKernel:
    pass


class MarlinLinearKernel:
    pass


class Method:
    def __init__(self, **kernels):
        self.__dict__.update(kernels)


class QKVParallelLinear(nn.Module):
    def __init__(self, **more):
        super().__init__()
        self.__dict__.update(more)


class RowParallelLinear(QKVParallelLinear):
    pass


class Attention(nn.Module):
    attn_backend = SimpleNamespace(get_name=lambda: "FLASH_ATTN")


def test_the_kernel_of_every_kind_of_layer_is_named():
    machete, marlin = Method(kernel=MacheteLinearKernel()), Method(kernel=MarlinLinearKernel())
    model = nn.ModuleList(
        [
            QKVParallelLinear(quant_method=machete),
            RowParallelLinear(quant_method=machete),
            RowParallelLinear(quant_method=marlin),
            # compressed-tensors: the method only hands on to the scheme.
            nn.ModuleList([QKVParallelLinear(quant_method=Method(), scheme=marlin)]),
            Attention(),
            nn.Identity(),
        ]
    )
    both = ["Method/MacheteLinearKernel", "Method/MarlinLinearKernel"]
    assert vllm_worker.layer_kernels(model) == {
        "Attention": ["FLASH_ATTN"],
        "QKVParallelLinear": both,
        "RowParallelLinear": both,
    }


def test_a_method_without_a_kernel_and_one_of_fp8():
    model = nn.ModuleList(
        [
            QKVParallelLinear(quant_method=Method()),
            RowParallelLinear(quant_method=Method(fp8_linear=MarlinLinearKernel())),
        ]
    )
    assert vllm_worker.layer_kernels(model) == {
        "QKVParallelLinear": ["Method"],
        "RowParallelLinear": ["Method/MarlinLinearKernel"],
    }


def test_weights_are_counted_once_and_those_that_onednn_keeps_too():
    embedding, head = nn.Embedding(10, 8), nn.Linear(8, 10, bias=False)  # 320 bytes, shared
    head.weight = embedding.weight
    emptied, dropped = nn.Linear(1, 1), nn.Linear(1, 1)  # 4 bytes of bias each
    for layer in (emptied, dropped):
        layer.input_size_per_partition, layer.output_size_per_partition = 8, 16
    emptied.weight = nn.Parameter(torch.empty(0, dtype=torch.bfloat16))  # 256 bytes
    dropped.weight = None  # 128 bytes of 8-bit integers
    model = nn.ModuleList([embedding, head, emptied, dropped])
    model.register_buffer("scale", torch.zeros(3))  # 12 bytes
    assert vllm_worker.weight_bytes(model) == 320 + 2 * 4 + 256 + 128 + 12


def test_views_of_one_cache_are_its_memory_once():
    cache = torch.zeros(2, 4, 8)
    assert vllm_worker.storage_bytes([cache[0], cache[1], torch.zeros(2)]) == 2 * 4 * 8 * 4 + 8


def test_a_worker_reports_its_part():
    model = nn.Linear(2, 3, bias=False)
    spec = SimpleNamespace(kv_cache_spec=SimpleNamespace(block_size=16))

    class Worker(vllm_worker.WorkerReport):
        groups = (spec,)

        def get_model(self):
            return model

        @property
        def model_runner(self):
            cache = SimpleNamespace(num_blocks=5, kv_cache_groups=self.groups)
            return SimpleNamespace(kv_caches=[torch.zeros(10)], kv_cache_config=cache)

    expected = {"kernels": {}, "weight_bytes": 24, "cache_bytes": 40, "cache_tokens": 80}
    assert Worker().quantrag_report() == expected
    Worker.groups = (spec, spec)  # windows that slide beside full attention
    assert Worker().quantrag_report() == expected | {"cache_tokens": None}
