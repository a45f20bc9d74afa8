"""What only vLLM's workers know: they hold the model and its cache, maybe in their own processes.

vLLM makes `WorkerReport` a base of its worker class (its argument `worker_extension_cls`), so that
the job's process can call its method by name. No function is sent to another process, for which
vLLM would have to be allowed pickle. Imports nothing heavy: the engine names the class before vLLM
may be imported.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any


class WorkerReport:
    """Added to vLLM's worker class."""

    def quantrag_report(self) -> dict[str, Any]:
        """Of this worker's part of the model.

        Returns:
            `kernels`, as `layer_kernels` gives them; `weight_bytes`, as loaded; `cache_bytes`, of
            the whole key-value cache; `cache_tokens` that it holds, None where layers of several
            kinds share it.
        """
        model, cache = self.get_model(), self.model_runner.kv_cache_config
        groups = cache.kv_cache_groups
        return {
            "kernels": layer_kernels(model),
            "weight_bytes": weight_bytes(model),
            "cache_bytes": storage_bytes(self.model_runner.kv_caches),
            "cache_tokens": (
                cache.num_blocks * groups[0].kv_cache_spec.block_size if len(groups) == 1 else None
            ),
        }


def layer_kernels(model: Any) -> dict[str, list[str]]:
    """What computes each kind of layer of a torch module, by the layer's class.

    Returns:
        Of linear layers vLLM's method and its kernel, such as
        `GPTQMarlinLinearMethod/MacheteLinearKernel`, or for compressed-tensors
        `CompressedTensorsW8A8Fp8/CutlassFP8ScaledMMLinearKernel`; of attention the backend.
        Kinds with several have all, sorted.
    """
    found = defaultdict(set)
    for module in model.modules():
        kind = type(module).__name__
        if (backend := getattr(module, "attn_backend", None)) is not None:
            found[kind].add(backend.get_name())
        elif (method := getattr(module, "quant_method", None)) is not None:
            # Of compressed-tensors, what the method leaves the work to.
            method = getattr(module, "scheme", None) or method
            kernel = getattr(method, "kernel", None) or getattr(method, "fp8_linear", None)
            name = type(method).__name__
            found[kind].add(f"{name}/{type(kernel).__name__}" if kernel else name)
    return {kind: sorted(names) for kind, names in sorted(found.items())}


def weight_bytes(model: Any) -> int:
    """Bytes of a torch module's parameters and buffers as loaded, shared ones once.

    On a CPU vLLM hands the weights of linear layers to oneDNN, which keeps a copy in its own order,
    and empties the parameter (or drops it, of 8 bits): these are counted by their shape.
    """
    total = storage_bytes([*model.parameters(), *model.buffers()])
    for module in model.modules():
        if not hasattr(module, "input_size_per_partition") or not hasattr(module, "weight"):
            continue
        weight = module.weight
        if weight is None or weight.numel() == 0:
            size = module.input_size_per_partition * module.output_size_per_partition
            total += size * (1 if weight is None else weight.element_size())
    return total


def storage_bytes(tensors: Iterable[Any]) -> int:
    """Bytes of the memory that torch tensors lie in, where several share it once."""
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())
