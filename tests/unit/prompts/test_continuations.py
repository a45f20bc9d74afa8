"""Answers are tokenized as the model would have to write them after their prompt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prompt_tokenizers
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.continuations import ContinuationTokenizer
from quantrag.prompts.tokenization import GapTokenizer

KINDS = ["demo_tokenizer", "mistral_7b", "llama_2", "mistral", "llama_3"]


@pytest.fixture(scope="module", params=KINDS)
def chat(request):
    return ChatFormat(getattr(prompt_tokenizers, request.param)())


def test_the_ids_are_those_of_the_whole_text(chat):
    tokenizer = GapTokenizer(chat.tokenizer, chat.add_special_tokens)
    continuations = ContinuationTokenizer(tokenizer, chat.lead)
    word = st.text(st.sampled_from("abcdé .-:5\n中"), min_size=1, max_size=12)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(word, min_size=1, max_size=8), word.filter(str.strip))
    def check(words, answer):
        prompt = chat.render(None, " ".join(words))
        (found,) = continuations.after(prompt, [answer])
        ids = tokenizer.whole(prompt)
        whole = tokenizer.whole(prompt + chat.lead + answer)
        if found.merges:
            assert not np.array_equal(whole[: len(ids)], ids)
        else:
            np.testing.assert_array_equal(np.concatenate([ids, found.ids]), whole)
        assert len(found.ids) > 0

    check()


def test_the_models_own_format_says_what_stands_before_an_answer():
    assert ChatFormat(prompt_tokenizers.demo_tokenizer()).lead == ""
    spaced = prompt_tokenizers.llama_2()
    spaced.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
        "{% else %} {{ m['content'] }} </s>{% endif %}{% endfor %}"
    )
    assert ChatFormat(spaced).lead == " "
    assert ChatFormat(prompt_tokenizers.llama_2(), chat_template="none").lead == " "


def test_an_answer_that_joins_its_prompt_is_marked():
    chat = ChatFormat(prompt_tokenizers.demo_tokenizer(), chat_template="none")
    tokenizer = GapTokenizer(chat.tokenizer, chat.add_special_tokens)
    (joined,) = ContinuationTokenizer(tokenizer).after("This is a revie", ["w"])
    assert joined.merges
    assert chat.tokenizer.decode(joined.ids) == "w"
    (apart,) = ContinuationTokenizer(tokenizer, chat.lead).after("The score is", ["5"])
    assert not apart.merges
    assert chat.tokenizer.decode(apart.ids) == " 5"
