"""Cross-encoders: a Hugging Face checkpoint that reads a query and a document together."""

import numpy as np
import torch
import transformers

from quantrag.errors import UserError
from quantrag.retrieval.text_model import TextModel
from quantrag.retrieval.vectors import batches_by_length


class CrossEncoder(TextModel):
    """A model for sequence classification, ready to score pairs.

    Args:
        folder: holds config, safetensors and tokenizer.
        max_length: tokens of a pair that are read, special tokens included; None takes the model's.
        dtype: `auto` (float32 on a CPU, float16 on a GPU), `float32`, `float16` or `bfloat16`.

    Raises:
        UserError: the folder holds no usable checkpoint, or one of an encoder without a classifier.
    """

    def _load(self, dtype: torch.dtype) -> torch.nn.Module:
        model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            self.folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
        missing = sorted(report["missing_keys"])
        if missing:
            raise UserError(
                f"{self.folder}: no cross-encoder: the checkpoint lacks {len(missing)} weights of "
                f"{type(model).__name__}, e.g. {missing[0]}."
            )
        return model

    def score(self, queries: list[str], documents: list[str]) -> np.ndarray:
        """How relevant each document is to its query, float64 of shape (pairs,).

        The model's logit; of several classes the log-probability of the last one. What is too long
        is cut from the longer of the two texts.
        """
        scores = np.empty(len(queries))
        if not queries:
            return scores
        encoded = self.tokenizer(
            queries,
            documents,
            truncation="longest_first",
            max_length=self.max_length,
            return_attention_mask=False,
        )
        ids, types = encoded["input_ids"], encoded.get("token_type_ids")
        lengths = np.array([len(tokens) for tokens in ids])
        for batch in batches_by_length(lengths, self.batch_tokens):
            scores[batch] = self._score_batch(
                [ids[pair] for pair in batch], types and [types[pair] for pair in batch]
            )
        broken = np.flatnonzero(~np.isfinite(scores))
        if len(broken):
            raise UserError(
                f"{self.folder}: the model gives {len(broken)} of {len(scores)} pairs a score that "
                "is not finite (NaN or infinity). Set the retriever's dtype to float32, or take "
                "another model."
            )
        return scores

    @torch.inference_mode()
    def _score_batch(self, ids: list[list[int]], types: list[list[int]] | None) -> np.ndarray:
        output, _ = self.run(ids, types)
        logits = output.logits.double()
        if logits.shape[1] > 1:
            logits = logits.log_softmax(-1)
        return logits[:, -1].cpu().numpy()
