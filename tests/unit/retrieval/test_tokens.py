"""Words and characters as Python sees them."""

import sys

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from quantrag.retrieval.tokens import VOCABULARIES, words_of

# Few letters, much white space of every kind, characters of two, three and four bytes.
TEXT = st.text(alphabet="ab é한😀\t\n\x1c\x85\xa0\u2003\u3000", max_size=12)


def strings(texts):
    return pa.array(texts, pa.large_string())


def test_every_character_separates_words_as_in_python():
    characters = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    _, lengths = words_of(strings([f"a{c}b" for c in characters]))
    expected = [len(f"a{c}b".split()) for c in characters]
    np.testing.assert_array_equal(lengths, expected)


@given(st.lists(TEXT, max_size=6))
def test_words_are_those_of_split(texts):
    words, lengths = words_of(strings(texts))
    assert words.to_pylist() == [word for text in texts for word in text.split()]
    assert lengths.tolist() == [len(text.split()) for text in texts]


@given(st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=3))
def test_numbers_stand_for_the_same_tokens_in_texts_and_queries(texts, queries):
    for kind, split in {"words": str.split, "characters": list}.items():
        vocabulary, numbers, lengths = VOCABULARIES[kind].of(strings(texts))
        tokens = [token for text in texts for token in split(text)]
        assert lengths.tolist() == [len(split(text)) for text in texts]
        assert len(vocabulary) == len(set(tokens))
        number_of = dict(zip(tokens, numbers.tolist(), strict=True))
        assert len(set(number_of.values())) == len(number_of)
        found, lengths = vocabulary.look_up(strings(queries))
        assert found.tolist() == [number_of.get(t, -1) for q in queries for t in split(q)]
        assert lengths.tolist() == [len(split(query)) for query in queries]
