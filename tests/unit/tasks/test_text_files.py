"""Which files a pattern means, and what their text and headings are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.tasks.text_files import (
    headings,
    is_markdown,
    matching_files,
    read_text_files,
    root_of,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("docs/b.md", "docs/a/z.md", "docs/a/y.txt", "docs/.hidden/x.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
    return tmp_path


def test_a_pattern_means_files_in_the_order_of_their_paths(folder):
    assert matching_files("docs/**/*.md") == ["docs/a/z.md", "docs/b.md"]
    assert matching_files("docs/**/**") == ["docs/a/y.txt", "docs/a/z.md", "docs/b.md"]
    assert matching_files("docs/*") == ["docs/b.md"]
    assert matching_files("docs/b.md") == ["docs/b.md"]
    assert matching_files("docs") == []


def test_ids_are_paths_below_the_part_without_wildcards(folder):
    assert str(root_of("docs/**/*.md")) == "docs"
    assert str(root_of("docs/a?/*.md")) == "docs"
    assert str(root_of("docs/b.md")) == "docs"
    assert str(root_of("*.md")) == "."
    assert root_of(f"{folder}/docs/[ab]/*") == folder / "docs"
    found = read_text_files(["docs/a/z.md", "docs/b.md"], root_of("docs/**/*.md"))
    assert [(path, identifier) for path, identifier, _ in found] == [
        ("docs/a/z.md", "a/z.md"),
        ("docs/b.md", "b.md"),
    ]


def test_texts_have_no_byte_order_mark_and_one_kind_of_line_end(folder):
    (folder / "a.txt").write_bytes("\ufeffä\r\nb\rc\n".encode())
    assert [text for _, _, text in read_text_files(["a.txt"], root_of("*.txt"))] == ["ä\nb\nc\n"]


def test_a_file_in_another_encoding_is_named(folder):
    (folder / "a.txt").write_bytes("ä".encode("latin-1"))
    with pytest.raises(UserError, match=r"a\.txt: not a text file in UTF-8"):
        list(read_text_files(["a.txt"], root_of("*.txt")))
    with pytest.raises(UserError, match=r"b\.txt: No such file"):
        list(read_text_files(["b.txt"], root_of("*.txt")))


def test_markdown_is_known_by_its_name():
    assert is_markdown("a/b.MD")
    assert not is_markdown("a.txt")


def test_headings_are_those_outside_of_code():
    text = "intro\n# One #\n```sh\n# a comment\n```\n  ## Two words\n"
    text += "~~~~\n```\n# no\n~~~~\n#no\n### \n"
    found = headings(text)
    assert [title for _, title in found] == ["One", "Two words"]
    assert [text[offset:].split("\n")[0] for offset, _ in found] == ["# One #", "  ## Two words"]


@given(st.lists(st.sampled_from(["# a", "text", "```", "~~~", "## b ##", "", "    # code"])))
def test_headings_stand_at_their_offsets(lines):
    text = "\n".join(lines)
    for offset, title in headings(text):
        assert text[offset:].split("\n")[0].strip("# ") == title
        assert offset == 0 or text[offset - 1] == "\n"
