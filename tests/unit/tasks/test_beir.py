"""BEIR's queries and judgements, on made-up files."""

import json

import pytest

from quantrag.errors import UserError
from quantrag.tasks.beir import read_questions


def written(tmp_path, judgements):
    queries = [
        {"_id": "1", "text": "One?", "metadata": {}},
        {"_id": "2", "text": "Two?", "answers": ["b"]},
        {"_id": "3", "text": "Three?"},
    ]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (tmp_path / "test.tsv").write_text(judgements)
    return tmp_path / "queries.jsonl", tmp_path / "test.tsv"


def test_queries_of_the_split_come_with_their_relevant_documents(tmp_path):
    judgements = "query-id\tcorpus-id\tscore\n2\td1\t1\n2\td2\t0\n1\td3\t2\n2\td4\t1\n"
    records = [record for _, record in read_questions(*written(tmp_path, judgements))]
    assert records == [
        {"_id": "1", "text": "One?", "evidence": ["d3"]},
        {"_id": "2", "text": "Two?", "answers": ["b"], "evidence": ["d1", "d4"]},
    ]


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
