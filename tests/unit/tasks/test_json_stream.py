"""Every JSON list is read as `json.load` reads it; of every other file it is said what is wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.tasks.json_stream import iterate_list, load_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(values, max_size=6), st.booleans(), st.sampled_from([None, 1]))
def test_streaming_equals_json_load(tmp_path_factory, elements, ascii_only, indent):
    path = tmp_path_factory.getbasetemp() / "streamed.json"
    text = json.dumps(elements, ensure_ascii=ascii_only, indent=indent)
    try:
        path.write_text(text, encoding="utf-8")
    except UnicodeEncodeError:  # a lone surrogate can't be written
        return
    assert list(iterate_list(path)) == json.loads(text)
    assert load_json(path) == json.loads(text)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_prefix_is_refused_and_never_hangs(tmp_path_factory, data):
    elements = data.draw(st.lists(values, min_size=1, max_size=3))
    encoded = json.dumps(elements).encode()
    path = tmp_path_factory.getbasetemp() / "prefix.json"
    path.write_bytes(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    with pytest.raises(UserError, match=r"prefix\.json"):
        list(iterate_list(path))


def test_columns_count_characters(tmp_path):
    path = tmp_path / "long.json"
    for start in ("", "\ufeff"):
        path.write_text(start + '[\n"aaaa",\n"é한😀b", "cccc", nope]', encoding="utf-8")
        with pytest.raises(UserError, match=r"line 3, column 17"):
            list(iterate_list(path))
        path.write_text(start + '["é한😀b", nope]', encoding="utf-8")
        with pytest.raises(UserError, match=r"line 1, column 10: malformed JSON in record 2"):
            list(iterate_list(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, {}}", "line 1, column 7: ',' or ']' is expected, found '}'"),
        ("[1, {]}", "line 1, column 6: malformed JSON in record 2"),
        ('[{"a": [1, 2}, {"b": 3}]', "line 1, column 13: malformed JSON in record 1"),
        ('[1, "]', "line 1, column 7: truncated JSON: the file ends inside record 2"),
        ("[1, {}", "line 1, column 7: truncated JSON: the file ends after record 2"),
        ("[1,\n", "line 2, column 1: truncated JSON: the file ends inside record 2"),
        ("[1 2]", "line 1, column 4: malformed JSON in record 1: Extra data"),
        ("[] []", "line 1, column 4: the end of the file is expected, found '['"),
        (" \n", "line 2, column 1: a list ('[') is expected, found the end of the file"),
        ("", "the file is empty"),
    ],
)
def test_messages_say_where_and_what(tmp_path, text, words):
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        list(iterate_list(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
