"""A corpus and questions become the tables that every stage reads, or one line says why not."""

import json
import re
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook import LEAVE, QUESTIONS, read, read_tables, write_handbook, write_lines
from quantrag.errors import UserError
from quantrag.tasks.answers import NO_ANSWER
from quantrag.tasks.questions_reader import TRAINING_DOCUMENTS, held_out_groups, spread
from quantrag.tasks.schemas import RECORDS
from quantrag.tasks.settings import QuestionsTask

#: Small enough that the two headings of a page are two passages.
SMALL = {"tokens": 16}


def test_a_folder_of_pages_and_a_file_of_questions(tmp_path):
    queries, documents = read(write_handbook(tmp_path), passages=SMALL)
    assert [d["document_id"] for d in documents] == [
        "leave.md#0-44",
        "leave.md#46-78",
        "pay.md#0-46",
    ]
    assert [d["target"] for d in documents] == ["Leave", "Leave: Sick leave", "Pay"]
    assert {d["scope_id"] for d in documents} == {"corpus"}
    assert documents[1]["text"] == LEAVE[46:78]
    assert [q["query_id"] for q in queries] == ["q1", "2", "q3"]
    assert {q["scope_id"] for q in queries} == {"corpus"}
    assert [q["golds"] for q in queries] == [["thirty", "30"], ["the last day"], [NO_ANSWER]]
    # A page stands for all its passages.
    assert [q["evidence"] for q in queries] == [["leave.md#0-44", "leave.md#46-78"], [], []]
    assert [json.loads(q["metadata"]) for q in queries] == [{}, {"level": "easy"}, {}]
    assert queries[0]["input"] == queries[0]["query_text"] == "How many days?"
    assert [q["cluster_id"] for q in queries] == ["q1", "2", "q3"]


def evidence_of(tmp_path, **given):
    [query], _ = read(write_handbook(tmp_path, [{**QUESTIONS[1], **given}]), passages=SMALL)
    return query["evidence"]


def test_evidence_may_be_passages_documents_or_words_of_documents(tmp_path):
    entry = {"evidence": ["pay.md", "leave.md#46-78"]}
    assert evidence_of(tmp_path, **entry) == ["pay.md#0-46", "leave.md#46-78"]


def test_quoted_evidence_is_found_across_line_ends(tmp_path):
    entry = {"evidence": "leave.md", "evidence_text": "thirty days of leave"}
    assert evidence_of(tmp_path, **entry) == ["leave.md#0-44"]


def test_a_quote_is_found_in_the_passage_that_is_named(tmp_path):
    entry = {"evidence": ["leave.md#46-78", "pay.md"], "evidence_text": "before nine"}
    assert evidence_of(tmp_path, **entry) == ["leave.md#46-78"]


def test_quotes_of_several_documents(tmp_path):
    entry = {"evidence": ["pay.md", "leave.md"], "evidence_text": ["before nine", "last day"]}
    assert evidence_of(tmp_path, **entry) == ["leave.md#46-78", "pay.md#0-46"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"evidence": "nowhere.md"},
            'questions.jsonl, line 1: question "2": the evidence "nowhere.md" isn\'t in the corpus '
            '(an id of which is "leave.md")',
        ),
        (
            {"evidence": "pay.md", "evidence_text": "on the first day"},
            'question "2": the evidence_text "on the first day" isn\'t in "pay.md"',
        ),
        (
            {"evidence": "leave.md#46-78", "evidence_text": "Everybody\nhas"},
            'the evidence_text "Everybody has" isn\'t in "leave.md#46-78"',
        ),
    ],
)
def test_evidence_that_is_not_there_is_named(tmp_path, given, message):
    with pytest.raises(UserError, match=re.escape(message)):
        evidence_of(tmp_path, **given)


def test_metadata_may_hold_what_utf_8_cannot(tmp_path):
    [query], _ = read(write_handbook(tmp_path, [{**QUESTIONS[1], "level": "\ud83d ü"}]))
    assert json.loads(query["metadata"]) == {"level": "? ü"}


def test_no_questions_and_no_answers_are_errors(tmp_path):
    entry = write_handbook(tmp_path, [])
    with pytest.raises(UserError, match=r"questions\.jsonl: no questions"):
        read(entry)
    write_lines(tmp_path / "questions.jsonl", QUESTIONS[2:])
    with pytest.raises(UserError, match=r"questions\.jsonl: none of the questions has an answer"):
        read(entry)


def test_the_first_of_several_mistakes_stands_alone_in_its_line(tmp_path):
    entry = write_handbook(tmp_path, [QUESTIONS[0], QUESTIONS[0], {"id": "x", "question": ""}])
    with pytest.raises(UserError) as caught:
        read(entry)
    first, *others = str(caught.value).splitlines()
    assert first.endswith(
        'line 2: question "q1": an earlier one has the same id. (2 problems in all)'
    )
    assert others == [f'  {tmp_path}/questions.jsonl, line 3: question "x": question is empty.']


def test_few_wrong_records_can_be_left_out_and_are_counted(tmp_path):
    rows = [{"id": n, "question": f"Q{n}?", "answers": "a"} for n in range(30)]
    rows[3]["evidence"] = "nowhere.md"
    entry = write_handbook(tmp_path, rows)
    full = QuestionsTask.model_validate({**entry, "invalid_records": "drop"}).model_dump()
    queries, _ = read_tables(full)
    assert len(queries) == 29
    records = json.loads(queries.schema.metadata[RECORDS.encode()])
    assert records == {"empty_profiles": 0, "dropped": {"questions": [1, 30]}}
    write_lines(tmp_path / "questions.jsonl", rows[2:5])
    with pytest.raises(UserError, match="1 of 3 questions are invalid, too many to leave out"):
        read(entry, invalid_records="drop")


def test_only_the_first_questions_are_evaluated_where_a_number_is_given(tmp_path):
    queries, documents = read(write_handbook(tmp_path), max_queries=2)
    assert [q["query_id"] for q in queries] == ["q1", "2"]
    assert {d["document_id"].partition("#")[0] for d in documents} == {"leave.md", "pay.md"}


@given(
    groups=st.lists(st.sampled_from("abcd"), max_size=30),
    most=st.none() | st.integers(1, 30),
)
def test_a_few_questions_are_spread_over_the_groups(groups, most):
    asked = [SimpleNamespace(id=place, group=group) for place, group in enumerate(groups)]
    kept = spread(asked, most)
    assert [question.id for question in kept] == sorted(question.id for question in kept)
    assert len(kept) == min(len(groups), most or len(groups))
    taken = Counter(question.group for question in kept)
    given = Counter(groups)
    # No group is asked twice while another one still has a question that wasn't asked.
    assert all(
        taken[group] >= min(given[group], max(taken.values(), default=0) - 1) for group in given
    )


def test_squad_is_corpus_and_questions_with_articles_as_groups(tmp_path):
    def paragraph(n):
        question = {"id": f"q{n}", "question": f"Q{n}?", "answers": [{"text": "a"}]}
        return {"context": f"text {n}", "qas": [question]}

    articles = [
        {"title": t, "paragraphs": [paragraph(2 * i), paragraph(2 * i + 1)]}
        for i, t in enumerate("AB")
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": articles}))
    source = {"squad": str(path)}
    queries, documents = read(
        {"kind": "questions", "corpus": source, "questions": source, "answer": "short"}
    )
    assert [d["document_id"] for d in documents] == ["A/0", "A/1", "B/0", "B/1"]
    assert [q["evidence"] for q in queries] == [["A/0"], ["A/1"], ["B/0"], ["B/1"]]
    assert [q["cluster_id"] for q in queries] == ["A", "A", "B", "B"]


def test_beir_is_a_folder_with_answers_added(tmp_path):
    write_lines(tmp_path / "corpus.jsonl", [{"_id": "d1", "title": "T", "text": "x"}])
    rows = [{"_id": "1", "text": "Q?", "answers": ["a"]}, {"_id": "2", "text": "R?"}]
    write_lines(tmp_path / "queries.jsonl", rows)
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n1\td1\t1\n")
    source = {"beir": str(tmp_path)}
    entry = {"kind": "questions", "corpus": source, "answer": "short"}
    [query], [document] = read({**entry, "questions": {**source, "split": "dev"}})
    assert (document["document_id"], document["target"], document["text"]) == ("d1", "T", "x")
    assert (query["query_id"], query["golds"], query["evidence"]) == ("1", ["a"], ["d1"])


def test_a_data_set_in_a_folder_may_be_corpus_and_questions(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    answers = {"text": ["x"], "answer_start": [0]}
    row = {"id": "1", "question": "Q?", "context": "x y", "name": "d", "answers": answers}
    write_lines(tmp_path / "data" / "train.jsonl", [row])
    dataset = {"path": str(tmp_path / "data")}
    corpus = {"dataset": dataset, "columns": {"id": "name", "text": "context"}}
    questions_of = {"dataset": dataset, "columns": {"evidence": "name"}}
    entry = {"kind": "questions", "corpus": corpus, "questions": questions_of, "answer": "short"}
    [query], [document] = read(entry)
    assert (document["document_id"], document["text"]) == ("d", "x y")
    assert (query["golds"], query["evidence"]) == (["x"], ["d"])
    assert json.loads(query["metadata"]) == {"context": "x y"}


@pytest.fixture
def many(tmp_path):
    rows = [
        {"id": n, "question": f"Q{n}?", "answers": "a", "part": f"p{n % 8}", "evidence": f"d{n}"}
        for n in range(40)
    ]
    documents = [{"id": f"d{n}", "text": f"text {n}"} for n in range(40)]
    return {
        "kind": "questions",
        "corpus": {"table": str(write_lines(tmp_path / "d.jsonl", documents))},
        "questions": {"file": str(write_lines(tmp_path / "q.jsonl", rows))},
        "answer": "short",
        "group": "part",
        "held_out": 0.25,
    }


def test_whole_groups_are_held_out_and_never_evaluated(many):
    queries, documents = read(many)
    held_out, _ = read(many, "train")
    assert len(documents) == 40
    assert (len(queries), len(held_out)) == (30, 10)
    assert not {q["query_id"] for q in queries} & {q["query_id"] for q in held_out}
    assert not {q["cluster_id"] for q in queries} & {q["cluster_id"] for q in held_out}


def test_a_held_out_question_has_a_scope_with_its_evidence_first(many):
    queries, documents = read(many, "train")
    for query in queries:
        own = [d for d in documents if d["scope_id"] == query["scope_id"]]
        assert own[0]["document_id"] == query["evidence"][0]
        assert own[0]["text"] == f"text {query['query_id']}"
        assert len({d["document_id"] for d in own}) == len(own) == TRAINING_DOCUMENTS
    # Other questions see other documents.
    assert len({d["document_id"] for d in documents}) > 2 * TRAINING_DOCUMENTS
    assert read(many, "train") == [queries, documents]


@given(
    st.dictionaries(st.text(max_size=4), st.integers(1, 9), min_size=2, max_size=20),
    st.floats(0.01, 0.99),
)
def test_held_out_groups_are_a_share_of_the_questions_and_never_all(sizes, share):
    groups = [group for group, size in sizes.items() for _ in range(size)]
    held_out = held_out_groups(groups, share)
    assert held_out < sizes.keys()
    room = share * len(groups) - sum(sizes[group] for group in held_out)
    if room < -1e-6:
        assert [sizes[group] for group in held_out] == [min(sizes.values())]
    else:
        # Whatever else would fit is taken.
        others = [sizes[group] for group in sizes.keys() - held_out]
        assert held_out
        assert min(others) > room - 1e-6
    assert held_out == held_out_groups(groups[::-1], share)


def test_a_large_group_is_not_held_out_for_a_small_share():
    groups = [*["large"] * 90, *map(str, range(10))]
    assert len(held_out_groups(groups, 0.05)) == 5
    assert len(held_out_groups([str(n) for n in range(100)], 0.29)) == 29
    assert held_out_groups(["a"] * 60 + ["b"] * 40, 0.1) == {"b"}


def test_one_group_cannot_be_divided():
    assert held_out_groups(["a", "a"], 0) == set()
    with pytest.raises(UserError, match="held_out: all questions are of one group"):
        held_out_groups(["a", "a"], 0.1)
