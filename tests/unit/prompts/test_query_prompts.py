"""What tokenizers and templates put around prompts: never silently, never twice."""

import pytest
from tokenizers import processors

import prompt_tokenizers
from quantrag.errors import UserError
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.query_prompts import PromptBuilder
from quantrag.prompts.tokenization import GapTokenizer

TEMPLATED = "{{ bos_token }}{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}"


def adding(template: str):
    """A tokenizer whose post-processor puts special tokens around a text."""
    tokenizer = prompt_tokenizers.llama_2()
    special = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<s>", "</s>")]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=template, pair=f"{template} $B", special_tokens=special
    )
    tokenizer.chat_template = TEMPLATED
    return tokenizer


class Style:
    """A style without a system message."""

    system = None


def builder(tokenizer, chat_template="model"):
    chat = ChatFormat(tokenizer, chat_template, name="tiny")
    return PromptBuilder(Style(), chat, 512, 16, "exact")


@pytest.mark.parametrize("template", ["<s> $A </s>", "$A </s>", "$A </s> </s>"])
def test_an_end_of_text_never_follows_a_prompt(template, caplog):
    tokenizer = adding(template)
    gaps = builder(tokenizer, "none").tokenizer
    assert "puts </s>" in caplog.text
    text = "a method for the retrieval of documents"
    expected = tokenizer(text, add_special_tokens=False)["input_ids"]
    if template.startswith("<s>"):
        expected = [tokenizer.bos_token_id, *expected]
    assert gaps.whole(text).tolist() == expected


def test_a_chat_template_gets_neither_bos_nor_eos_from_the_tokenizer(caplog):
    tokenizer = adding("<s> $A </s>")
    gaps = builder(tokenizer).tokenizer
    ids = gaps.whole("<s>[INST] x [/INST]").tolist()
    assert ids.count(tokenizer.bos_token_id) == 1
    assert tokenizer.eos_token_id not in ids
    assert not caplog.records


def test_bos_twice_is_refused():
    tokenizer = prompt_tokenizers.llama_2()
    tokenizer.chat_template = "{{ bos_token }}" + TEMPLATED
    with pytest.raises(UserError, match=r"models\.tiny: prompts would begin with <s> twice"):
        builder(tokenizer)


def test_a_prompt_that_ends_like_a_text_is_mentioned(caplog):
    tokenizer = prompt_tokenizers.llama_2()
    tokenizer.chat_template = TEMPLATED + "{{ eos_token }}"
    builder(tokenizer)
    assert "ends prompts with </s>" in caplog.text


def test_what_is_left_out_is_known():
    gaps = GapTokenizer(adding("<s> $A </s>"), True)
    assert (len(gaps.prefix), len(gaps.left_out)) == (1, 1)
    gaps = GapTokenizer(adding("<s> $A </s>"), False)
    assert (len(gaps.prefix), len(gaps.left_out)) == (0, 0)
