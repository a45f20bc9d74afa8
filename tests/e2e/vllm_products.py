"""Write what vLLM's own layers multiply by: each layer's product with the identity matrix.

Usage: vllm_products.py CHECKPOINT TOKENIZER FILE

FILE becomes a safetensors file with a float32 weight [outputs, inputs] for each linear layer of
the blocks, by vLLM's name: it joins the layers that read the same input, in the order q, k, v and
gate, up.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    import torch
    from safetensors.torch import save_file

    from generation_samples import make_spec, settings
    from quantrag.engines.vllm_engine import VllmEngine

    checkpoint, tokenizer, file = map(Path, sys.argv[1:4])
    spec = make_spec(
        checkpoint,
        original=tokenizer,
        dtype="bfloat16",
        settings=settings(
            engine="vllm",
            max_new_tokens=4,
            vllm={"enforce_eager": True, "kv_cache_gib": 0.1, "max_num_seqs": 4},
        ),
        max_model_len=64,
    )
    engine = VllmEngine(spec)
    engine.load()
    model = engine._engine.model_executor.driver_worker.model_runner.model
    weights = {}
    with torch.inference_mode():
        for name, layer in model.named_modules():
            # On a CPU without the INT4 kernel these hold the unpacked weights.
            if not (".layers." in name and hasattr(layer, "input_size")):
                continue
            identity = torch.eye(layer.input_size, dtype=torch.bfloat16)
            product = layer.quant_method.apply(layer, identity)
            weights[name] = product.T.contiguous().float()
    print(engine.report()["kernels"])
    engine.close()
    save_file(weights, file)
