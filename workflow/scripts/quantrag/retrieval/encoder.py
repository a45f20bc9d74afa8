"""Sentence encoders: a Hugging Face checkpoint that turns texts into vectors."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from quantrag.errors import UserError
from quantrag.retrieval import sentence_transformers
from quantrag.retrieval.text_model import TextModel

# `AutoModel` loads any DPR checkpoint as a question encoder: a passage encoder's weights would then
# be left out and drawn at random.
DPR_CLASSES = {
    "DPRQuestionEncoder": transformers.DPRQuestionEncoder,
    "DPRContextEncoder": transformers.DPRContextEncoder,
}


@dataclass(frozen=True)
class EncodingOptions:
    """How an encoder's output becomes a vector; the keys of a dense retriever's config.

    Attributes:
        pooling: `mean` over the tokens, `cls` (the first token's vector), or `pooler` (what the
            model itself gives as its pooled output); None takes what the model's folder says, or
            `mean` where it says nothing.
        normalize: divide each vector by its length, so that dot products are cosines.
        max_length: tokens of a text that are read, special tokens included; None takes the model's.
        dtype: `auto` (float32 on a CPU, float16 on a GPU), `float32`, `float16` or `bfloat16`.
    """

    pooling: str | None
    normalize: bool
    max_length: int | None
    dtype: str


class Encoder(TextModel):
    """A sentence encoder, ready to encode.

    Args:
        folder: holds config, safetensors and tokenizer.
        settings: see `EncodingOptions`.

    Raises:
        UserError: the folder holds no usable checkpoint.
    """

    def __init__(self, folder: str | Path, settings: EncodingOptions):
        self.settings = settings
        super().__init__(folder, max_length=settings.max_length, dtype=settings.dtype)
        hidden = self.config.hidden_size
        self.dimension = int(getattr(self.config, "projection_dim", 0) or hidden)

    def _load(self, dtype: torch.dtype) -> torch.nn.Module:
        config = self.config
        sentence_transformers.check_modules(self.folder)
        sentence_transformers.check_normalize(self.folder, self.settings.normalize)
        is_dpr = (config.architectures or [""])[0] in DPR_CLASSES
        pooling = sentence_transformers.pooling(
            self.folder, self.settings.pooling, pooler_is_cls=is_dpr
        )
        self.settings = replace(self.settings, pooling=pooling)
        return _load_model(self.folder, config, dtype, pooling == "pooler")

    def prefix(self, asked: str | None, kind: str) -> str:
        """The text to put before each `query` or `document`: the config's, or the model's own."""
        return sentence_transformers.prefix(self.folder, asked, kind)

    def identity(self) -> dict[str, Any]:
        """What the vectors depend on, for recognizing unfinished work as one's own."""
        return {
            "files": {p.name: _sha256(p) for p in sorted(self.folder.glob("*.*")) if p.is_file()},
            "pooling": self.settings.pooling,
            "normalize": self.settings.normalize,
            "max_length": self.max_length,
            "dtype": self.dtype_name,
        }

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, cut at the maximum length."""
        encoded = self.tokenizer(
            texts,
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return encoded["input_ids"]

    @torch.inference_mode()
    def encode(self, batch: list[np.ndarray]) -> np.ndarray:
        """Vectors of one batch of tokenized texts: float32 of shape (texts, dimension)."""
        output, mask = self.run(batch)
        vectors = self._pool(output, mask).float()
        if self.settings.normalize:
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        found = vectors.cpu().numpy()
        found[[len(tokens) == 0 for tokens in batch]] = 0
        return found

    def _pool(self, output: Any, mask: torch.Tensor) -> torch.Tensor:
        if self.settings.pooling == "pooler":
            return output.pooler_output
        if self.settings.pooling == "cls":
            return output.last_hidden_state[:, 0]
        weights = mask.unsqueeze(-1).float()
        summed = (output.last_hidden_state.float() * weights).sum(dim=1)
        return summed / weights.sum(dim=1)


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _load_model(
    folder: Path, config: Any, dtype: torch.dtype, needs_pooler: bool
) -> torch.nn.Module:
    architecture = (config.architectures or [""])[0]
    loader = DPR_CLASSES.get(architecture, transformers.AutoModel)
    model, report = loader.from_pretrained(
        folder, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    # Many checkpoints come without the pooling head, which only `pooler` uses.
    missing = sorted(k for k in report["missing_keys"] if needs_pooler or "pooler" not in k)
    if missing:
        raise UserError(
            f"{folder}: the checkpoint lacks {len(missing)} weights of {type(model).__name__}, "
            f"e.g. {missing[0]}."
        )
    return model
