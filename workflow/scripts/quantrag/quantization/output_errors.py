"""How far a quantized layer's outputs are from the original's, on calibration texts."""

from collections.abc import Callable, Mapping, Sequence

import torch

#: Texts that the outputs are compared on: the first ones. All of them are in memory at once.
TEXTS = 4


def relative_output_errors(
    model: torch.nn.Module,
    outputs: Mapping[str, Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]],
    texts: Sequence[Sequence[int]],
) -> dict[str, float]:
    """Norm of the difference of a layer's outputs, over the norm of the original's outputs.

    Every layer gets the inputs that it has in the unquantized model, so that its error is its own
    and not its predecessors'. The sums run over all tokens of the texts.

    Args:
        model: the unquantized model.
        outputs: by layer name, a function from inputs [tokens, features] to the layer's outputs
            without and with quantization, both float32 [tokens, outputs].
        texts: token ids; the first `TEXTS` are used.

    Returns:
        The error by layer name; a layer that no token reached is left out.
    """
    texts = list(texts)[:TEXTS]
    width = max(map(len, texts))
    ids = torch.zeros(len(texts), width, dtype=torch.long)
    real = torch.zeros(len(texts), width, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.as_tensor(list(text))
        real[row, : len(text)] = True
    # Padding stands on the right, where causal attention lets no real token see it.
    device = next(model.parameters()).device
    real = real.to(device)
    sums = {name: [0.0, 0.0] for name in outputs}

    def observe(name: str) -> Callable:
        def hook(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], _: object) -> None:
            x = inputs[0]
            # Experts get a choice of all tokens, in two dimensions.
            before, after = outputs[name](
                x[real] if x.shape[:2] == real.shape else x.flatten(0, -2)
            )
            sums[name][0] += (after - before).double().square().sum().item()
            sums[name][1] += before.double().square().sum().item()

        return hook

    layers = dict(model.named_modules())
    handles = [layers[name].register_forward_hook(observe(name)) for name in outputs]
    try:
        with torch.inference_mode():
            # Without the output head: its logits would take more memory than the rest.
            model.base_model(input_ids=ids.to(device), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return {name: (error / norm) ** 0.5 for name, (error, norm) in sums.items() if norm}
