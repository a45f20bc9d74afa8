"""Sentence encoders: a Hugging Face checkpoint that turns texts into vectors."""

import hashlib
import logging
from dataclasses import dataclass, replace
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


class Encoder:
    """A checkpoint, ready to encode on the GPU if there is one, otherwise on the CPU.

    Args:
        folder: holds config, safetensors and tokenizer.
        settings: see `EncodingOptions`.

    Raises:
        UserError: the folder holds no usable checkpoint.
    """

    def __init__(self, folder: str | Path, settings: EncodingOptions):
        self.folder, self.settings = Path(folder), settings
        if not list(self.folder.glob("*.safetensors")):
            raise UserError(f"{folder}: no encoder here (no file *.safetensors).")
        sentence_transformers.check_modules(self.folder)
        sentence_transformers.check_normalize(self.folder, settings.normalize)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        name = settings.dtype
        if name == "auto":
            name = "float16" if self.device == "cuda" else "float32"
        self.dtype_name = name
        config = transformers.AutoConfig.from_pretrained(self.folder, local_files_only=True)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(
            self.folder, local_files_only=True
        )
        is_dpr = (config.architectures or [""])[0] in DPR_CLASSES
        pooling = sentence_transformers.pooling(self.folder, settings.pooling, pooler_is_cls=is_dpr)
        self.settings = settings = replace(settings, pooling=pooling)
        # On a CPU only matrix products are worth less than 32 bits: they are most of the work, and
        # what lies between them keeps its precision.
        self.autocast = DTYPES[name] if self.device == "cpu" and name != "float32" else None
        dtype = torch.float32 if self.autocast else DTYPES[name]
        model = _load_model(self.folder, config, dtype, settings.pooling == "pooler")
        self.model = model.to(self.device).eval()
        positions = _position_embeddings(self.model)
        self.max_length = self._length(config, positions)
        # Models that count positions from the padding's id (RoBERTa) know no other padding.
        self._padding = (
            self.tokenizer.pad_token_id or 0
            if positions is None or positions.padding_idx is None
            else positions.padding_idx
        )
        self._rows = self.model.get_input_embeddings().num_embeddings
        self.dimension = int(getattr(config, "projection_dim", 0) or config.hidden_size)
        log.info("encoder %s on %s in %s", self.folder.name, self.device, name)

    def prefix(self, asked: str | None, kind: str) -> str:
        """The text to put before each `query` or `document`: the config's, or the model's own."""
        return sentence_transformers.prefix(self.folder, asked, kind)

    def _length(self, config: Any, positions: torch.nn.Embedding | None) -> int:
        """Tokens of a text that are read: the config's, the folder's, or the positions up to 512.

        Raises:
            UserError: the config asks for more than the model has positions.
        """
        limit = None
        if positions is not None:
            limit = positions.num_embeddings - (
                0 if positions.padding_idx is None else positions.padding_idx + 1
            )
        asked = self.settings.max_length
        if asked is not None:
            if limit is not None and asked > limit:
                raise UserError(
                    f"{self.folder}: the retriever's max_length is {asked}, but the model has "
                    f"positions for {limit} tokens. Set max_length to {limit} or less, or leave it "
                    "out."
                )
            return asked
        stated = sentence_transformers.stated_length(self.folder)
        length = stated or min(512, int(getattr(config, "max_position_embeddings", None) or 512))
        if limit is not None and length > limit:
            log.info("%s: reads %d tokens of a text, its positions", self.folder.name, limit)
            return limit
        return length

    @property
    def batch_tokens(self) -> int:
        """Tokens per batch, padding included."""
        return BATCH_TOKENS_GPU if self.device == "cuda" else BATCH_TOKENS_CPU

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
        width = max(1, *(len(ids) for ids in batch))
        ids = np.full((len(batch), width), self._padding, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            # A text without any token has a vector of zeros; attending to nothing gives none.
            mask[row, : max(1, len(tokens))] = 1
        if ids.max() >= self._rows:
            raise UserError(
                f"{self.folder}: its tokenizer gives the id {ids.max()}, but the model has only "
                f"{self._rows} embeddings: the tokenizer isn't this model's."
            )
        mask_tensor = torch.from_numpy(mask).to(self.device)
        with torch.autocast(self.device, self.autocast, enabled=self.autocast is not None):
            output = self.model(
                input_ids=torch.from_numpy(ids).to(self.device), attention_mask=mask_tensor
            )
        vectors = self._pool(output, mask_tensor).float()
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


def _position_embeddings(model: torch.nn.Module) -> torch.nn.Embedding | None:
    """The model's table of positions; None where positions are computed (rotary, relative)."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] == "position_embeddings":
            return module if isinstance(module, torch.nn.Embedding) else None
    return None


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
