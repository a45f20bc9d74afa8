"""A Hugging Face checkpoint that reads texts: loaded, on its device, fed in padded batches."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from quantrag.errors import UserError
from quantrag.retrieval import sentence_transformers

log = logging.getLogger(__name__)

# Tokens per batch, padding included: enough to keep the cores busy, small enough for their caches.
BATCH_TOKENS_CPU = 2_048
BATCH_TOKENS_GPU = 131_072
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class TextModel(ABC):
    """A checkpoint, ready to run on the GPU if there is one, otherwise on the CPU.

    What is loaded is the subclass's choice (`_load`).

    Args:
        folder: holds config, safetensors and tokenizer.
        max_length: tokens of an input that are read, special tokens included; None takes the
            model's.
        dtype: `auto` (float32 on a CPU, float16 on a GPU), `float32`, `float16` or `bfloat16`.

    Raises:
        UserError: the folder holds no usable checkpoint.
    """

    def __init__(self, folder: str | Path, *, max_length: int | None, dtype: str):
        self.folder = Path(folder)
        if not list(self.folder.glob("*.safetensors")):
            raise UserError(f"{folder}: no encoder here (no file *.safetensors).")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        name = dtype
        if name == "auto":
            name = "float16" if self.device == "cuda" else "float32"
        self.dtype_name = name
        self.config = transformers.AutoConfig.from_pretrained(self.folder, local_files_only=True)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(
            self.folder, local_files_only=True
        )
        # On a CPU only matrix products are worth less than 32 bits: they are most of the work, and
        # what lies between them keeps its precision.
        self.autocast = DTYPES[name] if self.device == "cpu" and name != "float32" else None
        model = self._load(torch.float32 if self.autocast else DTYPES[name])
        self.model = model.to(self.device).eval()
        positions = _position_embeddings(self.model)
        self.max_length = self._length(max_length, positions)
        # Models that count positions from the padding's id (RoBERTa) know no other padding.
        self._padding = (
            self.tokenizer.pad_token_id or 0
            if positions is None or positions.padding_idx is None
            else positions.padding_idx
        )
        self._rows = self.model.get_input_embeddings().num_embeddings
        log.info("%s on %s in %s", self.folder.name, self.device, name)

    @abstractmethod
    def _load(self, dtype: torch.dtype) -> torch.nn.Module:
        """Load the model in a data type. Raises UserError where the checkpoint won't do."""

    def _length(self, asked: int | None, positions: torch.nn.Embedding | None) -> int:
        """Tokens of a text that are read: the config's, the folder's, or the positions up to 512.

        Raises:
            UserError: the config asks for more than the model has positions.
        """
        limit = None
        if positions is not None:
            limit = positions.num_embeddings - (
                0 if positions.padding_idx is None else positions.padding_idx + 1
            )
        if asked is not None:
            if limit is not None and asked > limit:
                raise UserError(
                    f"{self.folder}: the retriever's max_length is {asked}, but the model has "
                    f"positions for {limit} tokens. Set max_length to {limit} or less, or leave it "
                    "out."
                )
            return asked
        stated = sentence_transformers.stated_length(self.folder)
        length = stated or min(
            512, int(getattr(self.config, "max_position_embeddings", None) or 512)
        )
        if limit is not None and length > limit:
            log.info("%s: reads %d tokens of a text, its positions", self.folder.name, limit)
            return limit
        return length

    @property
    def batch_tokens(self) -> int:
        """Tokens per batch, padding included."""
        return BATCH_TOKENS_GPU if self.device == "cuda" else BATCH_TOKENS_CPU

    def run(
        self, batch: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None = None
    ) -> tuple[Any, torch.Tensor]:
        """The model's output for one batch of tokenized inputs, and their attention mask.

        Args:
            batch: token ids of each input.
            types: which text of its input each token belongs to, for models that are told.

        Raises:
            UserError: the tokenizer isn't the model's.
        """
        width = max(1, *(len(ids) for ids in batch))
        shape = (len(batch), width)
        ids, kinds = np.full(shape, self._padding, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            # A text without any token has a vector of zeros; attending to nothing gives none.
            mask[row, : max(1, len(tokens))] = 1
            if types is not None:
                kinds[row, : len(tokens)] = types[row]
        if ids.max() >= self._rows:
            raise UserError(
                f"{self.folder}: its tokenizer gives the id {ids.max()}, but the model has only "
                f"{self._rows} embeddings: the tokenizer isn't this model's."
            )
        inputs = {"input_ids": ids, "attention_mask": mask}
        if types is not None:
            inputs["token_type_ids"] = kinds
        tensors = {name: torch.from_numpy(v).to(self.device) for name, v in inputs.items()}
        with torch.autocast(self.device, self.autocast, enabled=self.autocast is not None):
            output = self.model(**tensors)
        return output, tensors["attention_mask"]


def _position_embeddings(model: torch.nn.Module) -> torch.nn.Embedding | None:
    """The model's table of positions; None where positions are computed (rotary, relative)."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] == "position_embeddings":
            return module if isinstance(module, torch.nn.Embedding) else None
    return None
