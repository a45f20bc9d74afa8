"""Reading LaMP files: right tables from right files, clear errors from wrong ones."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.tasks.lamp_reader import read_task

INSTRUCTIONS = {
    2: "Which tag does this movie relate to among the following tags? Just answer with the tag "
    "name without further explanation. tags: [sci-fi, comedy] description: ",
    3: "What is the score of the following review on a scale of 1 to 5? just answer with 1, 2, 3, "
    "4, or 5 without further explanation. review: ",
    4: "Generate a headline for the following article: ",
    5: "Generate a title for the following abstract of a paper: ",
    7: "Paraphrase the following tweet without any explanation before or after it: ",
}


def review(document_id="1", text="Good soap.", score="5", **more):
    return {"id": document_id, "text": text, "score": score, **more}


def question(query_id="10", text="Bad soap.", profile=None, lamp=3):
    profile = [review()] if profile is None else profile
    return {"id": query_id, "input": INSTRUCTIONS[lamp] + text, "profile": profile}


@pytest.fixture
def read(tmp_path):
    """Write questions and golds (objects, or text for broken files) and read them."""

    def write_and_read(questions, golds=None, lamp=3, task=None, **options):
        if golds is None:
            golds = [{"id": q["id"], "output": "3"} for q in questions if isinstance(q, dict)]
        if isinstance(golds, list):
            golds = {"task": task or f"LaMP_{lamp}", "golds": golds}
        paths = tmp_path / "dev_questions.json", tmp_path / "dev_outputs.json"
        for path, content in zip(paths, (questions, golds), strict=True):
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                text = content if isinstance(content, str) else json.dumps(content)
                path.write_text(text, encoding="utf-8")
        return read_task(*paths, lamp, **options)

    return write_and_read


def message_of(read, *args, **kwargs):
    with pytest.raises(UserError) as caught:
        read(*args, **kwargs)
    return str(caught.value)


# --- right files -----------------------------------------------------------------------------


def test_tables_of_a_rating_task(read):
    questions = [
        question("b", "Fine soap.", [review("7", "Nice.", "4"), review("2", "Poor.", 1)]),
        question("a", " Sticky: review: me. ", [review("7", "Other user.", "5.0", date="2014-03")]),
    ]
    golds = [{"id": "a", "output": "2"}, {"id": "b", "output": "5"}]
    queries, documents = read(questions, golds)
    assert queries.to_pylist() == [
        {
            "query_id": "b",
            "scope_id": "b",
            "cluster_id": "b",
            "input": INSTRUCTIONS[3] + "Fine soap.",
            "query_text": "Fine soap.",
            "golds": ["5"],
            "evidence": [],
            "metadata": "{}",
        },
        {
            "query_id": "a",
            "scope_id": "a",
            "cluster_id": "a",
            "input": INSTRUCTIONS[3] + " Sticky: review: me. ",
            "query_text": "Sticky: review: me.",
            "golds": ["2"],
            "evidence": [],
            "metadata": "{}",
        },
    ]
    rows = [tuple(row.values()) for row in documents.to_pylist()]
    assert rows == [
        ("7", "b", "Nice.", "4", ""),
        ("2", "b", "Poor.", "1", ""),
        ("7", "a", "Other user.", "5", "2014-03"),
    ]


@pytest.mark.parametrize(
    ("lamp", "item", "text", "target"),
    [
        (2, {"description": "A ship lost in space.", "tag": "sci-fi"}, 0, 1),
        (4, {"text": "Rain fell.", "title": "Rain"}, 0, 1),
        (5, {"title": "On Rain", "abstract": "We study rain."}, 1, 0),
        (7, {"text": "so much rain"}, 0, None),
    ],
)
def test_fields_of_the_other_tasks(read, lamp, item, text, target):
    questions = [question("1", "It rains.", [{"id": "1", **item}], lamp)]
    gold = "comedy" if lamp == 2 else "rain"
    queries, documents = read(questions, [{"id": "1", "output": gold}], lamp)
    assert queries["query_text"].to_pylist() == ["It rains."]
    values = list(item.values())
    assert documents["text"].to_pylist() == [values[text]]
    assert documents["target"].to_pylist() == ["" if target is None else values[target]]


def test_citation_task_asks_with_both_candidates(read):
    text = (
        'For an author who has written the paper with the title "On "rain"", which reference is '
        "related? Just answer with [1] or [2] without explanation. "
        '[1]: "A "wet" theory" [2]: "Sun"'
    )
    questions = [{"id": "1", "input": text, "profile": []}]
    queries, _ = read(questions, [{"id": "1", "output": "[2]"}], 1)
    assert queries["query_text"].to_pylist() == ['A "wet" theory Sun']


def test_max_queries_keeps_the_first_in_file_order(read):
    questions = [question(str(i)) for i in (5, 3, 9)]
    queries, documents = read(questions, max_queries=2)
    assert queries["query_id"].to_pylist() == ["5", "3"]
    assert documents["scope_id"].to_pylist() == ["5", "3"]
    assert len(read(questions, max_queries=10)[0]) == 3


def test_empty_profile_is_kept_and_reported(read, caplog):
    with caplog.at_level("INFO"):
        queries, documents = read([question("1", profile=[]), question("2")])
    assert len(queries) == 2
    assert documents["scope_id"].to_pylist() == ["2"]
    assert "1 of 2 queries have an empty profile" in caplog.text
    assert json.loads(queries.schema.metadata[b"records"])["empty_profiles"] == 1


def test_number_ids_and_a_byte_order_mark_are_accepted(read):
    text = json.dumps([question(12, profile=[review(3)])])
    queries, documents = read(b"\xef\xbb\xbf" + text.encode(), [{"id": 12, "output": 3}])
    assert queries["query_id"].to_pylist() == ["12"]
    assert documents["document_id"].to_pylist() == ["3"]
    assert queries["golds"].to_pylist() == [["3"]]


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
profiles = st.lists(
    st.builds(review, ids, texts, st.sampled_from("12345")), max_size=4, unique_by=lambda d: d["id"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(question, ids, texts, profiles),
        min_size=1,
        max_size=5,
        unique_by=lambda q: q["id"],
    ),
    st.booleans(),
    st.randoms(),
)
def test_whatever_is_written_is_read_back(tmp_path_factory, questions, ascii_only, rng):
    folder = tmp_path_factory.mktemp("lamp")
    golds = [{"id": q["id"], "output": rng.choice("12345")} for q in questions]
    shuffled = random.Random(0).sample(golds, len(golds))
    (folder / "q.json").write_text(json.dumps(questions, ensure_ascii=ascii_only), "utf-8")
    (folder / "o.json").write_text(json.dumps({"task": "LaMP_3", "golds": shuffled}), "utf-8")
    queries, documents = read_task(folder / "q.json", folder / "o.json", 3)
    assert queries["query_id"].to_pylist() == [q["id"] for q in questions]
    assert queries["input"].to_pylist() == [q["input"] for q in questions]
    assert queries["golds"].to_pylist() == [[g["output"]] for g in golds]
    expected = [(d["id"], q["id"], d["text"], d["score"]) for q in questions for d in q["profile"]]
    columns = ("document_id", "scope_id", "text", "target")
    assert list(zip(*(documents[c].to_pylist() for c in columns), strict=True)) == expected


# --- wrong records ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        ([question("1"), question("1")], ['question "1" (record 2)', "record 1 has the same id"]),
        (
            [question("1", profile=[review("4"), review("4")])],
            ['question "1" (record 1), profile document "4" (number 2)', "the same id"],
        ),
        ([question("1", profile=[review(text="  ")])], ['document "1"', "text is empty"]),
        ([question("1", text="")], ['question "1"', "nothing follows the instruction"]),
        ([question("1", profile=[review(score="6")])], ["score is '6'", "1, 2, 3, 4, 5"]),
        ([question("1", profile=[review(score=2.5)])], ["score is 2.5"]),
        ([question("1", profile=[review(score=True)])], ["score is True"]),
        ([question("1", profile=[review(score="nan")])], ["score is 'nan'"]),
        ([question("1", profile=[{"id": "1", "text": "x"}])], ["score is missing"]),
        ([question("1", profile=[review(text=7)])], ["text", "a number (7)"]),
        ([question("1", profile=["x"])], ["profile document 1", "a string ('x')"]),
        ([question("1", profile={})], ["profile: a list is expected, found an object"]),
        ([{"id": "1", "input": INSTRUCTIONS[3] + "x"}], ["profile", "no such key"]),
        ([question("1"), 5], ["record 2", "an object is expected, found a number (5)"]),
        ([{"input": "x", "profile": []}], ["record 1", "id", "no such key"]),
        ([{"id": None, "input": "x", "profile": []}], ["record 1", "found null"]),
        ([question("1", lamp=5)], ["instruction of LaMP-3", "Generate a title"]),
        ([question("1", text="half \ud83d")], ['question "1"', "surrogate"]),
    ],
)
def test_wrong_question_is_named(read, questions, expected):
    golds = [{"id": "1", "output": "3"}]
    message = message_of(read, questions, golds)
    assert "dev_questions.json" in message
    for part in expected:
        assert part in message


@pytest.mark.parametrize(
    ("golds", "expected"),
    [
        ([], ["dev_questions.json", 'question "1" (record 1)', "no gold in", "dev_outputs.json"]),
        (
            [{"id": "1", "output": "3"}, {"id": "8", "output": "3"}],
            ['dev_outputs.json: gold "8"', "no such question in", "dev_questions.json"],
        ),
        ([{"id": "1", "output": "3"}] * 2, ['gold "1" (record 2)', "the same id"]),
        ([{"id": "1", "output": "0"}], ['gold "1"', "output is '0'", "1, 2, 3, 4, 5"]),
        ([{"id": "1"}], ["output is missing"]),
        (["3"], ["gold record 1", "a string ('3')"]),
        ({"task": "LaMP_3"}, ["without a list golds"]),
        ("[]", ["found a list"]),
        ({"task": "LaMP_5", "golds": []}, ["\"task\" is 'LaMP_5'", "LaMP_3"]),
        ({"golds": []}, ['"task" is None']),
    ],
)
def test_wrong_gold_is_named(read, golds, expected):
    message = message_of(read, [question("1")], golds)
    for part in expected:
        assert part in message


def test_citation_gold_must_be_a_choice(read):
    text = (
        'For an author who has written the paper with the title "T", which reference is related? '
        'Just answer with [1] or [2] without explanation. [1]: "A" [2]: "B"'
    )
    questions = [{"id": "1", "input": text, "profile": []}]
    assert "allowed: [1], [2]" in message_of(read, questions, [{"id": "1", "output": "A"}], 1)


def test_golds_of_movie_tags_are_checked(read):
    questions = [question(str(i), "It rains.", [], lamp=2) for i in (1, 2)]
    golds = [{"id": "1", "output": "dark comedy"}, {"id": "2", "output": "Comedy"}]
    message = message_of(read, questions, golds, 2)
    assert 'gold "2" (record 2): output is "Comedy"; allowed: sci-fi, based on a book' in message


def test_many_problems_are_counted_and_a_few_shown(read):
    questions = [question(str(i), profile=[review(text="")]) for i in range(40)]
    questions.append(question("40", profile=[review(score=9)]))
    message = message_of(read, questions)
    first, *others = message.splitlines()
    assert 'question "0"' in first
    assert "41 problems in all" in first
    assert len(others) == 5
    assert any("score is 9" in line for line in others)
    assert "36 more" in others[-1]


def test_no_questions_at_all(read):
    assert "list of questions is empty" in message_of(read, [], [])


# --- broken files ----------------------------------------------------------------------------


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.json: no such file"):
        read_task(tmp_path / "q.json", tmp_path / "nowhere.json", 3)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.77, 0.99])
def test_truncated_file_is_called_truncated(read, share):
    whole = json.dumps([question(str(i)) for i in range(5)])
    message = message_of(read, whole[: int(len(whole) * share)], [])
    assert "truncated" in message
    assert f"line 1, column {int(len(whole) * share) + 1}" in message


def test_syntax_error_has_line_and_column(read):
    text = '[\n{"id": "1",\n "input": oops, "profile": []}]'
    message = message_of(read, text, [])
    assert "line 3, column 11" in message
    assert "record 1" in message


@pytest.mark.parametrize("text", ["<!doctype html>", '{"id": 1}', "", "[{}] x", "[{} {}]", "[{},]"])
def test_other_content_is_refused(read, text):
    message = message_of(read, text, [])
    assert "dev_questions.json" in message


def test_wrong_byte_has_its_offset(read):
    whole = json.dumps([question("1", "Crème.")], ensure_ascii=False)
    at = whole.index("è")
    data = whole.encode("latin-1")
    message = message_of(read, data, [{"id": "1", "output": "3"}])
    assert f"not UTF-8: byte {at} (0xe8)" in message


def test_character_cut_at_the_end_of_the_file_is_not_utf8(read):
    message = message_of(read, '["é'.encode()[:-1], [])
    assert "not UTF-8: byte 2" in message


def test_absurd_json_is_an_error_not_a_crash(read):
    assert "record 1" in message_of(read, "[" * 100_000, [])
    assert "record 1" in message_of(read, f"[{'9' * 5000}]", [])


# --- invalid records left out ----------------------------------------------------------------


def many(n=40):
    return [question(str(i), profile=[review(str(j)) for j in range(5)]) for i in range(n)]


def test_invalid_documents_and_questions_can_be_left_out(read, caplog):
    questions = many()
    questions[3]["profile"][1]["text"] = " "
    questions[4]["profile"][2]["id"] = questions[4]["profile"][0]["id"]
    questions[5]["profile"][0]["score"] = "9"
    questions[6]["input"] = "Rate this."
    golds = [{"id": q["id"], "output": "3"} for q in questions]
    queries, documents = read(questions, golds, invalid_records="drop")
    assert queries["query_id"].to_pylist() == [str(i) for i in range(40) if i != 6]
    assert len(documents) == 39 * 5 - 3
    own = [row["document_id"] for row in documents.to_pylist() if row["scope_id"] == "4"]
    assert own == ["0", "1", "3", "4"]
    assert "1 of 40 questions, 3 of 200 profile documents, 0 of 40 golds" in caplog.text
    assert "text is empty" in caplog.text
    assert "an earlier one has the same id" in caplog.text


@pytest.mark.parametrize("gold", [{"id": "6", "output": "9"}, {"id": "other", "output": "3"}])
def test_a_question_without_a_valid_gold_can_be_left_out(read, gold):
    questions = many()
    golds = [{"id": q["id"], "output": "3"} for q in questions]
    golds[6] = gold
    queries, _ = read(questions, golds, invalid_records="drop")
    assert queries["query_id"].to_pylist() == [str(i) for i in range(40) if i != 6]
    assert all(len(golds) == 1 and golds[0] for golds in queries["golds"].to_pylist())


def test_too_many_invalid_records_are_an_error_all_the_same(read):
    questions = many()
    for one in questions[:20]:
        one["profile"][0]["text"] = ""
    golds = [{"id": q["id"], "output": "3"} for q in questions]
    text = message_of(read, questions, golds, invalid_records="drop")
    assert "20 of 200 profile documents are invalid, too many to leave out (at most 5%)" in text
    assert 'question "0"' in text


def test_dropping_changes_nothing_of_a_valid_file(read, caplog):
    assert read(many(), invalid_records="drop") == read(many())
    assert "left out" not in caplog.text


def test_fewer_questions_than_expected_are_an_error(read):
    assert "only 40 questions; at least 100" in message_of(read, many(), at_least=100)
