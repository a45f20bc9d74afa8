"""BEIR's queries and judgements, on made-up files."""

import pytest

from handbook import write_lines
from quantrag.errors import UserError
from quantrag.tasks.beir import read_questions


def written(tmp_path, judgements):
    queries = [
        {"_id": "1", "text": "One?", "metadata": {}},
        {"_id": "2", "text": "Two?", "answers": ["b"]},
        {"_id": "3", "text": "Three?"},
    ]
    (tmp_path / "test.tsv").write_text(judgements)
    return write_lines(tmp_path / "queries.jsonl", queries), tmp_path / "test.tsv"


def test_queries_of_the_split_come_with_their_relevant_documents(tmp_path):
    judgements = "query-id\tcorpus-id\tscore\n2\td1\t1\n2\td2\t0\n1\td3\t2\n2\td4\t1\n"
    records = [record for _, record in read_questions(*written(tmp_path, judgements))]
    assert records == [
        {"_id": "1", "text": "One?", "evidence": ["d3"]},
        {"_id": "2", "text": "Two?", "answers": ["b"], "evidence": ["d1", "d4"]},
    ]


def test_ids_may_be_numbers_and_what_is_wrong_with_one_is_left_to_the_checks(tmp_path):
    queries, judgements = written(tmp_path, "1\td3\t1\n")
    rows = [{"_id": 1}, {"_id": "1", "text": "again"}, {"_id": [1]}, {"_id": 2}, {}]
    write_lines(queries, rows)
    records = [record for _, record in read_questions(queries, judgements)]
    assert records == [
        {"_id": 1, "evidence": ["d3"]},
        {"_id": "1", "text": "again", "evidence": ["d3"]},
        {"_id": [1], "evidence": []},
        {"evidence": []},
    ]


def test_files_that_cannot_be_read_are_named(tmp_path):
    queries, judgements = written(tmp_path, "1\td3\t1\n")
    judgements.write_bytes("1\tä\t1\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"test\.tsv: not a text file in UTF-8"):
        list(read_questions(queries, judgements))
    judgements.write_text("\ufeffquery-id\tcorpus-id\tscore\r\n1\td3\t1\r\n", encoding="utf-8")
    assert len(list(read_questions(queries, judgements))) == 1
    queries.write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"queries\.jsonl: not a text file in UTF-8"):
        list(read_questions(queries, judgements))


@pytest.mark.parametrize(
    ("judgements", "message"),
    [
        (
            "query-id\tcorpus-id\tscore\n1\td1\n",
            r"test\.tsv, line 2: a query's id, a document's id",
        ),
        ("1\td1\tx\n", r"test\.tsv, line 1: a query's id"),
        ("9\td1\t1\n", r"test\.tsv: no query '9' in .*queries\.jsonl"),
    ],
)
def test_wrong_judgements_are_an_error(tmp_path, judgements, message):
    with pytest.raises(UserError, match=message):
        list(read_questions(*written(tmp_path, judgements)))
