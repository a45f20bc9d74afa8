"""Matching several systems' answers."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.recorded.align import match
from quantrag.recorded.record import Record


def record(item, *, where="f", **facts):
    return Record(item=item, where=f"{where}, {item}", text="x", **facts)


def records(items, **facts):
    return [record(item, **facts) for item in items]


@given(st.sets(st.sampled_from("abcdefghij")), st.sets(st.sampled_from("abcdefghij")))
def test_common_items_stay_and_the_rest_is_counted(one, other):
    one, other = sorted(one), sorted(other)
    common = [item for item in one if item in other]
    systems = {"one": [records(one)], "other": [records(other)]}
    if not one or not other or len(common) < min(len(one), len(other)) / 2:
        with pytest.raises(UserError):
            match("t", systems)
        return
    matched = match("t", systems)
    assert matched.items == common
    lost = {"one": len(one) - len(common), "other": len(other) - len(common)}
    assert matched.left_out == {name: n for name, n in lost.items() if n}
    assert [[of[0].item for of in answers] for answers in matched.answers] == [common, common]


def test_left_out_items_are_named_in_the_log(caplog):
    with caplog.at_level(logging.WARNING):
        match("arc", {"m at fp16": [records("abc")], "m at int4": [records("ab")]})
    assert "arc: 1 of 3 items of m at fp16 are left out" in caplog.text
    assert "'c'" in caplog.text


def test_other_item_sets_are_refused():
    with pytest.raises(UserError, match=r"t: other item sets: of the 2 items of b, 0 were.*'1'"):
        match("t", {"a": [records("123")], "b": [records("xy")]})


def test_an_item_twice_in_a_file_is_refused():
    with pytest.raises(UserError, match=r"g, a: the item 'a' stands already in f, a \(1 repeat"):
        match("t", {"s": [[record("a"), record("b"), record("a", where="g")]]})


def test_several_files_or_epochs_are_repetitions():
    epochs = [record("a", repetition="1"), record("a", repetition="2")]
    assert [len(of) for of in match("t", {"s": [epochs]}).answers[0]] == [2]
    assert [len(of) for of in match("t", {"s": [records("a"), records("a")]}).answers[0]] == [2]


def test_lopsided_repetitions_are_refused():
    with pytest.raises(UserError, match=r"t, s: 1 items don't have 2 repetitions.*'c'"):
        match("t", {"s": [records("abc"), records("ab")]})


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"hashes": {"prompt": "1"}}, "prompt"),
        ({"hashes": {"document": "1"}}, "document"),
        ({"golds": ("B",)}, "gold"),
    ],
)
def test_other_prompts_documents_and_golds_under_one_id_are_refused(facts, kind):
    usual = {"hashes": {"prompt": "0", "document": "0"}, "golds": ("A",)}
    other = [record("a", **usual), record("b", where="g", **(usual | facts))]
    with pytest.raises(UserError, match=f"t: not the same {kind} for 1 items, such as 'b' in f, b"):
        match("t", {"one": [records("ab", **usual)], "other": [other]})


def test_scores_that_only_some_have_are_left_out(caplog):
    one = records("ab", scores={"acc↑": 1.0, "f1↑": 1.0})
    other = [record("a", scores={"acc↑": 0.0}), record("b", scores={"acc↑": 1.0})]
    assert match("t", {"one": [one], "other": [other]}).metrics == ["acc↑"]
    assert "only some systems have the scores f1↑ (one): left out" in caplog.text


def test_items_without_a_score_are_left_out_and_counted():
    one = records("abc", scores={"acc↑": 1.0})
    other = [*records("ab", scores={"acc↑": 1.0}), record("c")]
    matched = match("t", {"one": [one], "other": [other]})
    assert matched.items == ["a", "b"]
    assert matched.left_out == {"one": 1, "other": 1}
