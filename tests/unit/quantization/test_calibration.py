import pyarrow as pa
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from quantrag.errors import UserError
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.styles import load_style
from quantrag.quantization.calibration import (
    SCHEMA,
    TrainingTask,
    check_disjoint,
    choose_texts,
    load_evaluated,
)
from quantrag.tables import write_table

TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}<assistant>"


@pytest.fixture(scope="module")
def chat():
    """A chat format whose tokenizer gives one token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    tokenizer.chat_template = TEMPLATE
    return ChatFormat(tokenizer)


def training_task(name: str, n: int = 20, documents: int = 4) -> TrainingTask:
    users = [str(i) for i in range(n)]
    queries = pa.table(
        {
            "query_id": users,
            "scope_id": users,
            "input": [
                f"What is the score of the following review: {name} review {i}" for i in users
            ],
            "query_text": [f"{name} review {i}" for i in users],
        }
    )
    rows = [
        {"document_id": str(j), "scope_id": i, "text": f"{name} note {j} of {i}", "target": str(j)}
        for i in users
        for j in range(documents)
    ]
    return TrainingTask(name, queries, pa.Table.from_pylist(rows), load_style("lamp", "LaMP-3"))


def choose(tasks, chat, evaluated=frozenset(), count=6, max_tokens=4000, documents=2, seed=0):
    return choose_texts(
        tasks,
        evaluated,
        chat,
        count=count,
        max_tokens=max_tokens,
        documents=documents,
        seed=seed,
    )


def test_the_tasks_take_turns_and_texts_are_the_models_prompts(chat):
    tasks = [training_task("a"), training_task("b")]
    texts = choose(tasks, chat)
    assert texts.schema == SCHEMA
    assert texts["task"].to_pylist() == ["a", "b"] * 3
    for row in texts.to_pylist():
        query = f"{row['task']} review {row['query_id']}"
        assert query in row["text"]
        assert row["text"].startswith("<user>")
        assert row["text"].endswith("<assistant>")
        # The first two documents of the profile and no third.
        shown = [f"{row['task']} note {j} of {row['query_id']}" in row["text"] for j in range(4)]
        assert shown == [True, True, False, False]
        assert row["n_tokens"] == len(row["token_ids"]) == len(row["text"].encode())


def test_the_choice_depends_on_the_seed_alone(chat):
    tasks = [training_task("a")]
    assert choose(tasks, chat).equals(choose(tasks, chat))
    assert not choose(tasks, chat, seed=1).equals(choose(tasks, chat))


def test_no_text_occurs_twice(chat):
    texts = choose([training_task("a")], chat, count=20)
    assert len(set(texts["query_id"].to_pylist())) == 20


def test_evaluated_queries_are_never_chosen_nor_shown(chat, tmp_path):
    task = training_task("a")
    # As text, whatever the id, the letters' case and the spaces.
    table = pa.table({"input": ["x"] * 18, "query_text": [f" A  review {i}" for i in range(18)]})
    write_table(table, tmp_path / "queries.parquet")
    evaluated = load_evaluated([tmp_path / "queries.parquet"]) | {"a note 0 of 18"}
    texts = choose([task], chat, evaluated, count=20)
    assert sorted(texts["query_id"].to_pylist()) == ["18", "19"]
    by_query = dict(zip(texts["query_id"].to_pylist(), texts["text"].to_pylist(), strict=True))
    assert "a note 0 of 18" not in by_query["18"]
    assert "a note 2 of 18" in by_query["18"]
    check_disjoint(texts, [task], evaluated)


def test_an_evaluated_query_among_the_texts_stops_the_run(chat):
    task = training_task("a")
    texts = choose([task], chat, count=20)
    with pytest.raises(AssertionError, match="calibration text 7 of a is an evaluated query"):
        check_disjoint(texts, [task], frozenset({"a review 7"}))


def test_documents_are_left_out_until_the_text_fits(chat):
    tasks = [training_task("a")]
    bare = max(choose(tasks, chat, count=20, documents=0)["n_tokens"].to_pylist())
    full = min(choose(tasks, chat, count=20, documents=4)["n_tokens"].to_pylist())
    limit = (bare + full) // 2
    texts = choose(tasks, chat, count=20, documents=4, max_tokens=limit)
    assert len(texts) == 20
    assert max(texts["n_tokens"].to_pylist()) <= limit
    assert min(texts["n_tokens"].to_pylist()) > bare


def test_where_the_train_split_is_small_there_are_fewer_texts(chat, caplog):
    texts = choose([training_task("a", n=3)], chat)
    assert len(texts) == 3
    assert "3 calibration texts of 6 asked for" in caplog.text


def test_a_profile_may_be_empty(chat):
    task = training_task("a")
    some = task.documents.filter(pa.compute.not_equal(task.documents["scope_id"], "3"))
    texts = choose([TrainingTask("a", task.queries, some, task.style)], chat, count=20)
    assert len(texts) == 20


def test_no_text_at_all_is_the_users_to_mend(chat):
    task = training_task("a", n=2)
    evaluated = frozenset({"a review 0", "a review 1"})
    with pytest.raises(UserError, match="no calibration text: in the train splits of a"):
        choose([task], chat, evaluated)
