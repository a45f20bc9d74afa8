"""Exact token ids of a text from the ids of its pieces.

A prompt with 60 documents is tokenized once per added document by the obvious packing loop. Here a
text is cut at *word gaps*: a letter, one space, a letter ("score for"), the cut before the space.
The ids of the pieces, put together, are the ids of the whole text, because

- no token of the vocabulary holds a letter followed by a space, so no merge (BPE) and no piece
  (Unigram, WordPiece) reaches across a gap, and merges on one side never depend on the other;
- the splitting that comes before (regular expressions over runs of letters, digits, punctuation
  and spaces; metaspace) ends a word there and looks no further back than the word.

The first is checked on the vocabulary, the second on a set of awkward texts. A tokenizer that fails
either is not cut at all (`GapTokenizer.cuts` is False).
"""

import re
from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

# The cut is at the start of the match.
WORD_GAP = re.compile(r"(?<=[A-Za-z]) (?=[A-Za-z])")
# A piece is tokenized behind this word, so that it is not taken for the start of a text.
_ANCHOR = "a"
# A letter and a space as they stand in vocabularies: plain, byte-level BPE, SentencePiece.
_LETTER_SPACE = re.compile(r"[A-Za-z][ \u0120\u2581]")
_AWKWARD = (
    "x", "I", "don't", "it's", "5", "3.14", "1,000,000", "?!", "...", '"quoted"', "(a)", "a_b",
    "e-mail", "http://a.b/c?d=e", "caf\u00e9", "cafe\u0301", "\u00a0", "\u2028", "\u200d", "\ufeff",
    "\u4e2d\u6587", "\u0e44\u0e17\u0e22", "\U0001f600\U0001f3fd", "\ufb01n",
    "\t", "\n", "\r\n", "\n\n", " ", "  ", "\0",
    "<s>", "</s>", "<|im_end|>", "[INST]", "\u2581", "\u0120", "A B  C",
)  # fmt: skip


class GapTokenizer:
    """Tokenizes whole texts, and pieces of texts that start or end at a word gap.

    Args:
        tokenizer: a Hugging Face tokenizer.
        add_special_tokens: whether a whole text gets BOS and the like from the tokenizer.

    Special tokens that the tokenizer puts after a text (`add_eos_token`) are left out: a prompt is
    to be continued, and after its end nothing is.

    Attributes:
        cuts: whether pieces may be tokenized on their own; where not, only `whole` is of use.
        prefix: ids that the tokenizer puts before every whole text.
        left_out: ids that the tokenizer would put after it.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, add_special_tokens: bool) -> None:
        self._tokenizer = tokenizer
        self._add_special_tokens = add_special_tokens
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        self.prefix, self.left_out = self._special_ids()
        self.cuts = False
        if self._backend is not None:
            self._backend.no_truncation()
            self._backend.no_padding()
            self._n_anchor = len(self._encode([_ANCHOR])[0])
            self.cuts = self._vocabulary_allows_cuts() and self._awkward_texts_allow_cuts()

    def whole(self, text: str) -> np.ndarray:
        """Ids (int32) of a whole text, the special tokens before it included."""
        ids = self._tokenizer(
            text, add_special_tokens=self._add_special_tokens, return_attention_mask=False
        )["input_ids"]
        return np.asarray(ids[: len(ids) - len(self.left_out)], dtype=np.int32)

    def bare(self, text: str) -> np.ndarray:
        """Ids (int32) of a text without special tokens."""
        ids = self._tokenizer(text, add_special_tokens=False, return_attention_mask=False)
        return np.asarray(ids["input_ids"], dtype=np.int32)

    def pieces(self, texts: Sequence[str], starts_text: bool = False) -> list[np.ndarray]:
        """Ids (int32) of pieces, without special tokens.

        Each piece must end at a word gap or at the end of the text, and start at one: only with
        `starts_text` is the first piece the start of the text.
        """
        anchored = [_ANCHOR + text for text in texts]
        if starts_text and texts:
            anchored[0] = texts[0]
        ids = self._encode(anchored)
        return [
            one if starts_text and number == 0 else one[self._n_anchor :]
            for number, one in enumerate(ids)
        ]

    def _encode(self, texts: list[str]) -> list[np.ndarray]:
        if not texts:
            return []
        encodings = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        return [np.asarray(encoding.ids, dtype=np.int32) for encoding in encodings]

    def _special_ids(self) -> tuple[np.ndarray, np.ndarray]:
        bare = self._tokenizer(_ANCHOR, add_special_tokens=False)["input_ids"]
        full = self._tokenizer(_ANCHOR, add_special_tokens=self._add_special_tokens)["input_ids"]
        for start in range(len(full) - len(bare) + 1):
            if full[start : start + len(bare)] == bare:
                ends = full[:start], full[start + len(bare) :]
                return tuple(np.asarray(end, dtype=np.int32) for end in ends)
        raise ValueError(f"the tokenizer gives {full} for {_ANCHOR!r}, without its {bare}")

    def _vocabulary_allows_cuts(self) -> bool:
        added = self._backend.get_added_tokens_decoder().values()
        contents = {token.content for token in added}
        if any(token in contents and _LETTER_SPACE.search(token) for token in contents):
            return False
        # An added token that eats the spaces around it could eat a gap's space.
        if any(
            (token.rstrip and token.content[-1:].isalpha())
            or (token.lstrip and token.content[:1].isalpha())
            or (token.single_word and token.content.isalpha())
            for token in added
        ):
            return False
        return not any(_LETTER_SPACE.search(token) for token in self._backend.get_vocab(False))

    def _awkward_texts_allow_cuts(self) -> bool:
        lefts = [f"{text}{glue}word" for text in _AWKWARD for glue in ("", " ", "\n")]
        rights = [f" next{glue}{text}" for text in _AWKWARD for glue in ("", " ", "\n")]
        # Every left side meets every kind of right side, without trying all pairs.
        rights = rights[::-1]
        wholes = self._encode([left + right for left, right in zip(lefts, rights, strict=True)])
        left_ids = self._encode(lefts)
        right_ids = self.pieces(rights)
        return all(
            np.array_equal(whole, np.concatenate([left, right]))
            for whole, left, right in zip(wholes, left_ids, right_ids, strict=True)
        )
