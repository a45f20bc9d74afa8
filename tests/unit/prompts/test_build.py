"""Prompts of a task: what is kept, dropped and truncated, and that the table says so."""

import hashlib
import logging

import numpy as np
import pyarrow as pa
import pytest

import prompt_tokenizers
from benchmarks.parts import prompt_packing
from quantrag.errors import UserError
from quantrag.grid import K
from quantrag.prompts.build import PROMPT_SCHEMA, build_prompts, with_control_tokens
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.order import DocumentOrder
from quantrag.prompts.query_prompts import shortened
from quantrag.prompts.styles import load_style
from quantrag.prompts.tokenization import GapTokenizer

INSTRUCTION = "Generate a title for the following abstract of a paper: "


@pytest.fixture(scope="module")
def tokenizer():
    return prompt_tokenizers.llama_2()


@pytest.fixture(scope="module")
def chat(tokenizer):
    return ChatFormat(tokenizer)


@pytest.fixture(scope="module")
def corpus():
    return prompt_packing.corpus(n_queries=6, n_documents=25, shortest=5, longest=60)


def tables(profiles, queries=None, ranking=None):
    """Tables for {query_id: [(text, target)]}, ranked in the order of `ranking` (indices)."""
    documents, run, rows = [], [], []
    for query_id, profile in profiles.items():
        text = (queries or {}).get(query_id, f"query {query_id} is about a thing")
        rows.append(
            {
                "query_id": query_id,
                "scope_id": query_id,
                "input": INSTRUCTION + text,
                "query_text": text,
            }
        )
        for i, (text, target) in enumerate(profile):
            documents.append(
                {"document_id": f"d{i}", "scope_id": query_id, "text": text, "target": target}
            )
        for rank, i in enumerate(ranking or range(len(profile)), start=1):
            run.append({"query_id": query_id, "rank": rank, "document_id": f"d{i}"})
    document_schema = pa.schema(
        [(name, pa.string()) for name in ("document_id", "scope_id", "text", "target")]
    )
    run_schema = pa.schema(
        [("query_id", pa.string()), ("rank", pa.int32()), ("document_id", pa.string())]
    )
    return (
        pa.Table.from_pylist(rows),
        pa.Table.from_pylist(documents, schema=document_schema),
        pa.Table.from_pylist(run, schema=run_schema),
    )


def profile(n):
    return [(f"Abstract number {n} is about ants.", f"Title {n}") for n in range(n)]


def build(inputs, ks, chat, style="paper", context=4096, max_new_tokens=64, **settings):
    ks = [K.parse(k) for k in ks]
    return build_prompts(
        *inputs, ks, load_style(style, "LaMP-5"), chat, context, max_new_tokens, **settings
    )


@pytest.mark.parametrize("style", ["paper", "lamp"])
@pytest.mark.parametrize("k", ["1", "5", "25", "max_1K", "max_8K"])
@pytest.mark.parametrize("context", [512, 1300, 8192])
def test_equals_the_straightforward_loop(corpus, chat, style, k, context):
    settings = {"style": load_style(style, "LaMP-5"), "chat": chat, "context": context}
    k = K.parse(k)
    table = build_prompts(*corpus, [k], max_new_tokens=64, **settings)
    expected = prompt_packing.pack_by_rendering(*corpus, k, max_new_tokens=64, **settings)
    assert [table["document_ids"].to_pylist(), table["token_ids"].to_pylist()] == expected
    assert max(table["n_tokens"].to_pylist()) <= k.budget(context, 64)


def test_table(chat, tokenizer):
    inputs = tables({"q1": profile(4), "q2": profile(2), "q3": []}, ranking=None)
    table = build(inputs, ["3", "1", "max_1K"], chat)
    assert table.schema == PROMPT_SCHEMA
    rows = table.to_pylist()
    assert [(row["k"], row["query_id"]) for row in rows] == [
        (k, query_id) for k in ("3", "1", "max_1K") for query_id in ("q1", "q2", "q3")
    ]
    kept = [len(row["document_ids"]) for row in rows]
    assert kept == [3, 2, 0, 1, 1, 0, 4, 2, 0]
    for row in rows:
        expected = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
        assert row["token_ids"] == expected
        assert row["n_tokens"] == len(expected)
        ids = np.array(expected, dtype="<i4")
        assert row["prompt_hash"] == hashlib.sha256(ids.tobytes()).hexdigest()
        assert (row["dropped"], row["truncated"]) == (0, False)
    # Without documents the prompt is that of k = 0, and it is generated once.
    none = build((*inputs[:2], None), ["0"], chat).to_pylist()
    assert none[2]["prompt_hash"] == rows[2]["prompt_hash"] == rows[8]["prompt_hash"]
    assert "EXAMPLES" not in none[0]["prompt"]


def test_documents_stand_in_rank_order(chat):
    inputs = tables({"q": profile(3)}, ranking=[2, 0, 1])
    row = build(inputs, ["2"], chat).to_pylist()[0]
    assert row["document_ids"] == ["d2", "d0"]
    assert row["prompt"].index("Abstract number 2") < row["prompt"].index("Abstract number 0")
    assert "Abstract number 1" not in row["prompt"]


def in_order(query, documents, order, n, style, chat):
    """Text of a prompt with the best `n` documents, put together by hand."""
    ranks = order.ranks(query["query_id"], n)
    block = style.separator.join(
        style.document(*documents[rank], place + 1) for place, rank in enumerate(ranks)
    )
    return chat.render(style.system, style.user(block, query["query_text"], query["input"]))


@pytest.mark.parametrize("kind", ["best_first", "best_last", "random"])
@pytest.mark.parametrize(
    ("style", "dataset"), [("paper", "LaMP-5"), ("lamp", "LaMP-5"), ("rag", "questions-short")]
)
def test_any_order_keeps_the_best_that_fit(corpus, chat, tokenizer, kind, style, dataset):
    order, style, ks = DocumentOrder(kind, 7), load_style(style, dataset), ["1", "5", "max_1K"]
    table = build_prompts(
        *corpus, [K.parse(k) for k in ks], style, chat, 1500, 64, order=order
    ).to_pylist()
    queries = {row["query_id"]: row for row in corpus[0].to_pylist()}
    texts = {
        query_id: [
            (row["text"], row["target"])
            for row in corpus[1].to_pylist()
            if row["scope_id"] == query_id
        ]
        for query_id in queries
    }
    for row in table:
        own, n = texts[row["query_id"]], len(row["document_ids"])
        asked, budget = K.parse(row["k"]).asked(len(own)), K.parse(row["k"]).budget(1500, 64)
        query = queries[row["query_id"]]
        assert row["prompt"] == in_order(query, own, order, n, style, chat)
        assert row["token_ids"] == tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
        # The corpus ranks its documents d1, d2, ...
        ranks = order.ranks(row["query_id"], n)
        assert row["document_ids"] == [f"d{rank + 1}" for rank in ranks]
        assert row["n_tokens"] <= budget
        if n < asked:
            longer = in_order(query, own, order, n + 1, style, chat)
            assert len(tokenizer(longer, add_special_tokens=False)["input_ids"]) > budget
    kept = [len(row["document_ids"]) for row in table if row["k"] == "max_1K"]
    assert 1 < min(kept) <= max(kept) < 25


def test_numbers_follow_the_order_of_the_prompt(chat):
    inputs = tables({"q": profile(3)})
    style = load_style("rag", "questions-text")
    order = DocumentOrder("best_last")
    (row,) = build_prompts(*inputs, [K.parse("2")], style, chat, 4096, 64, order=order).to_pylist()
    assert "[1] Title 1\nAbstract number 1" in row["prompt"]
    assert "[2] Title 0\nAbstract number 0" in row["prompt"]
    assert row["document_ids"] == ["d1", "d0"]


def test_documents_that_do_not_fit_are_dropped_from_the_end(chat):
    documents = [("word " * 60, "Long"), ("word " * 60, "Longer"), ("short text", "Short")]
    rows = build(tables({"q": documents}), ["3", "max_1K"], chat, context=600).to_pylist()
    for row in rows:
        # The third would fit, but ranks behind one that does not.
        assert row["document_ids"] == ["d0"]
        assert row["dropped"] == 2
        assert not row["truncated"]
        assert row["n_tokens"] <= 600 - 64


@pytest.mark.parametrize("style", ["paper", "lamp"])
def test_a_query_that_does_not_fit_is_truncated_at_its_end(chat, style):
    words = " ".join(f"word{n}" for n in range(300))
    inputs = tables({"long": profile(2), "short": profile(2)}, queries={"long": words})
    rows = build(inputs, ["1", "max_1K"], chat, style=style, context=256).to_pylist()
    for row in rows[::2]:
        assert row["truncated"]
        assert row["document_ids"] == []
        assert row["dropped"] == (1 if row["k"] == "1" else 2)
        assert 180 <= row["n_tokens"] <= 256 - 64
        assert "word0 word1" in row["prompt"]
        assert "word299" not in row["prompt"]
        assert "itle for the" in row["prompt"]
    assert not any(row["truncated"] for row in rows[1::2])
    with pytest.raises(UserError, match=r"models\.tiny\.context: .* with an empty query has"):
        build(inputs, ["1"], ChatFormat(chat.tokenizer, name="tiny"), context=70)


def test_shortened_input():
    assert shortened("abcdef", "Title: abcdef ", 2) == ("ab", "Title: ab ")
    assert shortened("one two", '"one", [2]: "two"', 3) == ("one", '"one", [2]: "')


@pytest.mark.parametrize("k", ["20", "max_1K"])
def test_paper_packing_counts_twice(chat, tokenizer, k):
    """The rule written out: messages so far + documents with the next one and the query."""
    context = 1500
    inputs = tables({"q": [(f"Word {n} is in this  text. " * 8, "A title") for n in range(20)]})
    row = build(inputs, [k], chat, context=context, packing="paper").to_pylist()[0]
    query = inputs[0]["query_text"].to_pylist()[0]
    style = load_style("paper", "LaMP-5")
    window = context if k == "20" else 1024
    pairs, kept = "", 0
    for document in inputs[1].to_pylist():
        example = f"Abstract:\n{document['text']}\nTitle:\n{document['target']}\n"
        messages = "\n" + style.user(style_lines(pairs), query, "")
        n_messages = len(tokenizer(messages).input_ids)
        if len(tokenizer(pairs + "\n" + example + query).input_ids) >= window - n_messages:
            break
        pairs += "\n" + example
        kept += 1
    assert 0 < kept < 20
    assert len(row["document_ids"]) == kept
    assert row["dropped"] == 20 - kept
    exact = build(inputs, [k], chat, context=context).to_pylist()[0]
    assert 1.6 * kept < len(exact["document_ids"])


def style_lines(text):
    return "\n".join(line.strip() for line in f"{text}|".splitlines())[:-1]


def test_folded_system_text_in_prompts():
    tokenizer = prompt_tokenizers.mistral()
    row = build(tables({"q": profile(1)}), ["1"], ChatFormat(tokenizer)).to_pylist()[0]
    # The released code joins its empty system text and the user text with a line break.
    assert row["prompt"].startswith("<s>[INST] \nHere are a couple")
    assert row["token_ids"].count(tokenizer.bos_token_id) == 1


def test_base_models_get_plain_text(tokenizer):
    chat = ChatFormat(tokenizer, chat_template="none")
    row = build(tables({"q": profile(2)}), ["2"], chat, style="lamp").to_pylist()[0]
    assert row["prompt"].startswith('"Title 0" is a title for "Abstract number 0')
    assert row["token_ids"] == tokenizer(row["prompt"])["input_ids"]
    assert row["token_ids"][0] == tokenizer.bos_token_id


def test_wrong_pieces_are_noticed(chat, monkeypatch, caplog):
    inputs = tables({"q": profile(9)})
    expected = build(inputs, ["3", "max_1K"], chat)
    whole_pieces = GapTokenizer.pieces

    def wrong_pieces(self, texts, starts_text=False):
        return [ids[::-1] for ids in whole_pieces(self, texts, starts_text)]

    monkeypatch.setattr(GapTokenizer, "_awkward_texts_allow_cuts", lambda self: True)
    monkeypatch.setattr(GapTokenizer, "pieces", wrong_pieces)
    with caplog.at_level(logging.WARNING):
        table = build(inputs, ["3", "max_1K"], chat)
    assert table.equals(expected)
    assert "starting again with whole prompts" in caplog.text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ messages[-1]['content'] | replace('ants', 'bees') }}", "changes the text"),
        ("{{ messages[-1]['content'] * 2 }}", "drops or repeats"),
        ("Hello", "drops or repeats"),
    ],
)
def test_templates_that_change_messages_are_refused(template, message):
    tokenizer = prompt_tokenizers.llama_2()
    tokenizer.chat_template = template
    chat = ChatFormat(tokenizer, system_role="fold", name="tiny")
    with pytest.raises(UserError, match=rf"models\.tiny: the chat template {message}"):
        build(tables({"q": profile(2)}), ["2"], chat)


def test_queries_that_share_a_corpus_get_their_own_documents(chat):
    queries, documents, _ = tables({"corpus": profile(4)})
    rows = queries.to_pylist() * 3
    queries = pa.Table.from_pylist([{**row, "query_id": f"q{i}"} for i, row in enumerate(rows)])
    ranked = {"q0": ["d3", "d0"], "q1": ["d1"], "q2": ["d2", "d3"]}
    run = pa.Table.from_pylist(
        [
            {"query_id": query_id, "rank": rank, "document_id": document_id}
            for query_id, ids in ranked.items()
            for rank, document_id in enumerate(ids, start=1)
        ]
    )
    prompts = build((queries, documents, run), ["2"], chat).to_pylist()
    assert {row["query_id"]: row["document_ids"] for row in prompts} == ranked
    assert "Title 3" in prompts[0]["prompt"]
    assert "Title 3" not in prompts[1]["prompt"]


def test_a_run_of_other_documents_is_refused(chat):
    queries, documents, run = tables({"q": profile(2)})
    with pytest.raises(UserError, match="query 'q' ranks document 'd1', which is not among"):
        build((queries, documents.slice(0, 1), run), ["2"], chat)
    with pytest.raises(ValueError, match="needs a run"):
        build((queries, documents, None), ["2"], chat)


def test_summary_is_logged(chat, caplog):
    with caplog.at_level(logging.INFO):
        build(tables({"q1": profile(1), "q2": profile(3)}), ["3"], chat)
    assert "k=3: 2 prompts" in caplog.text
    assert "1 queries with fewer than k in all; 0 queries truncated" in caplog.text


@pytest.mark.parametrize("chat_template", ["model", "none"])
@pytest.mark.parametrize(
    ("text", "counted"), [("ants", 0), ("the end </s> of", 1), ("<s> <s>", 1), ("< s >", 0)]
)
def test_special_tokens_in_texts_are_kept_and_counted(tokenizer, chat_template, text, counted):
    chat = ChatFormat(tokenizer, chat_template)
    profiles = {"q0": [(text, "A title")], "q1": [("bees", "Another")]}
    prompts = build(tables(profiles), ["1"], chat)
    assert with_control_tokens(prompts, chat, load_style("paper", "LaMP-5")) == counted
    assert text in prompts["prompt"][0].as_py()
    # The ids are those of the text, whatever it spells out.
    row = prompts.slice(0, 1).to_pylist()[0]
    whole = tokenizer(row["prompt"], add_special_tokens=chat.add_special_tokens)["input_ids"]
    assert row["token_ids"] == whole


def test_the_golds_are_scored_after_every_prompt_or_all_allowed_answers(chat, tokenizer):
    queries, documents, run = tables({"a": profile(3), "b": profile(2)})
    queries = queries.append_column("golds", pa.array([["One title"], ["Two", " Three ", " "]]))
    prompts = build((queries, documents, run), ["1", "3"], chat)
    found = prompts["continuations"].to_pylist()
    texts = [["One title"], ["Two", "Three"]]
    assert [[one["text"] for one in own] for own in found] == texts * 2
    for row, own in zip(prompts.to_pylist(), found, strict=True):
        for one in own:
            whole = tokenizer(row["prompt"] + chat.lead + one["text"], add_special_tokens=False)
            assert (row["token_ids"] + one["token_ids"] == whole["input_ids"]) != one["merges"]
    closed = build((queries, documents, run), ["1", "3"], chat, answers=("1", "2", "3"))
    assert {tuple(one["text"] for one in own) for own in closed["continuations"].to_pylist()} == {
        ("1", "2", "3")
    }
    assert closed["prompt_hash"].equals(prompts["prompt_hash"])
