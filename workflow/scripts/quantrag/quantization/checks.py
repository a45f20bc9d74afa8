"""What quantization needs of its inputs, checked before any work starts."""

import re
from collections.abc import Sequence
from pathlib import Path

from quantrag.checkpoints.folder import tensor_entries
from quantrag.errors import UserError

#: Group sizes that the configuration allows, `-1` (a whole row) apart.
GROUP_SIZES = (16, 32, 64, 128, 256, 512, 1024)
# The repeated blocks of a decoder: `model.layers.0.mlp.down_proj.weight`, `transformer.h.3...`.
_BLOCK_WEIGHT = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.\d+\..+\.weight$")


def block_shapes(folder: str | Path) -> dict[str, tuple[int, int]]:
    """Shapes (output size, input size) of the weight matrices in the model's repeated blocks.

    These are what weight quantization replaces; embeddings and the output head stay as they are.
    """
    return {
        name: tuple(entry["shape"])
        for name, entry in tensor_entries(folder).items()
        if len(entry["shape"]) == 2 and _BLOCK_WEIGHT.search(name)
    }


def check_texts(texts: Sequence[Sequence[int]]) -> None:
    """Raise UserError where there are no calibration texts."""
    if not texts:
        raise UserError("no calibration texts: the train split has no query that may be used.")


def check_group_size(folder: str | Path, group_size: int) -> None:
    """Check that a group size divides the input size of every layer that is quantized.

    GPTQModel writes such a checkpoint without a word, and vLLM then stops at a bare assertion.

    Args:
        folder: the original checkpoint; only its headers are read.
        group_size: weights per scale; -1, a whole row, always fits.

    Raises:
        UserError: it does not divide one, with the sizes that would.
    """
    if group_size == -1:
        return
    shapes = block_shapes(folder)
    offending = {name: shape[1] for name, shape in shapes.items() if shape[1] % group_size}
    if not offending:
        return
    inputs = {shape[1] for shape in shapes.values()}
    fitting = [size for size in GROUP_SIZES if all(n % size == 0 for n in inputs)]
    name, size = next(iter(offending.items()))
    raise UserError(
        f"group_size {group_size} does not divide the input size {size} of {name} "
        f"(and {len(offending) - 1} more layers) in {folder}. Sizes that divide every layer: "
        f"{', '.join(map(str, [*fitting, -1]))} (-1: one scale per row)."
    )
