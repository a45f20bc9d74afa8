"""Files that cannot be read are named in one line, with the place and what is wrong."""

import pytest

from quantrag.config.files import check_files, origin, read_mapping
from quantrag.errors import UserError


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: [1\nb: 2\n", "line 2, column 2: not valid YAML: expected ',' or ']'"),
        ("a:\n\tb: 1\n", "line 2, column 1: not valid YAML: found character '\\t'"),
        ("a: b: c\n", "line 1, column 5: not valid YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2\n", "not valid YAML: but found another document"),
        ("a: !!python/object:os.system {}\n", "not valid YAML: could not determine a construct"),
        ("a: 2024-13-45\n", "not valid YAML: month must be in 1..12"),
        ("a: \x00\n", "not valid YAML: unacceptable character"),
        ("", "the file is empty. Allowed: keys with values"),
        ("# nothing but a remark\n", "the file is empty. Allowed: keys with values"),
        ("- 1\n- 2\n", "a list instead of keys at the top level"),
        ("hello\n", "a single value instead of keys at the top level"),
        ("seed: 1\nk: [1]\nseed: 2\n", "line 3: the key 'seed' stands already in line 1"),
        ("t:\n  a: 1\n  b: {c: 1, c: 2}\n", "line 3: the key 'c' stands already in line 3"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ("[" * 3000, "not valid YAML"),
        ("a: &a {b: [*a]}\n", "an alias (*name) stands inside of what it refers to"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, content, expected):
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_mapping(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: {expected}") or expected in text
    assert len(text.splitlines()) == 1


def test_text_in_another_encoding_is_said(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("a: Gödel\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"mine\.yaml: not a text file in UTF-8"):
        read_mapping(path)


def test_a_key_that_an_anchor_brings_may_be_overruled(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nmine: {<<: *base, a: 3}\n")
    assert read_mapping(path)["mine"] == {"a": 3, "b": 2}


def test_an_alias_may_be_used_twice(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: &a {b: 1}\nc: [*a, *a]\n")
    assert read_mapping(path)["c"] == [{"b": 1}, {"b": 1}]


def test_json_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{\n\t"a": [1, 2.5]\n}')
    assert read_mapping(path) == {"a": [1, 2.5]}
    path.write_text("\ufeffa: 1\n", encoding="utf-8")
    assert read_mapping(path) == {"a": 1}


def test_a_file_that_was_changed_is_read_again(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: 1\n")
    assert read_mapping(path) == {"a": 1}
    path.write_text("a: 23\n")
    assert read_mapping(path) == {"a": 23}


def test_what_is_no_file_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("a: 1\n")
    check_files(["mine.yaml"])
    with pytest.raises(UserError, match=r"^estimate: no such configuration file\. --configfile ta"):
        check_files(["mine.yaml", "estimate"])
    with pytest.raises(UserError, match=r"^mien\.yaml: no such file$"):
        check_files(["mien.yaml"])
    with pytest.raises(UserError, match="Is a directory"):
        check_files([tmp_path])


def test_a_key_comes_from_the_command_line_or_the_last_file_that_holds_it(tmp_path):
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("tasks: {a: {lamp: 3}}\nk: [0, 1]\n")
    second.write_text("tasks: {b: {lamp: 5}}\n")
    files = [first, second]
    assert origin(["tasks", "a", "lamp"], files, {}) == str(first)
    assert origin(["tasks", "b"], files, {}) == str(second)
    assert origin(["k", "1"], files, {}) == str(first)
    assert origin(["missing"], files, {}) == str(second)
    assert origin(["k", "1"], files, {"k": ["0", "x"]}) == "--config"
    assert origin([], files, {"k": ["0", "x"]}) == str(second)
    assert origin(["seed"], [], {}) == "--config"
