"""How much faster packing is than the straightforward loop, and whether both pack the same.

The loop renders and tokenizes the growing prompt again for every document that it adds. Both get
the same queries, documents and ranking. The loop takes minutes and is timed once, ours as the
median of three runs. The default tokenizer is that of the demo's model.

    python benchmarks/prompts.py [--json FILE] [--quick] [--queries 300] [--documents 60]

`--quick`: 40 queries.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.parts import common
from benchmarks.parts.prompt_packing import corpus, demo_tokenizer, pack_by_rendering
from quantrag.grid import K
from quantrag.prompts.build import build_prompts
from quantrag.prompts.chat_templates import ChatFormat, load_tokenizer
from quantrag.prompts.styles import load_style


def main() -> None:
    parser = common.parser_of(__doc__)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--words", default="60,240", help="shortest and longest document")
    parser.add_argument("--style", default="paper", choices=["paper", "lamp"])
    parser.add_argument("--k", default="max_8K", type=K.parse)
    parser.add_argument("--tokenizer", help="folder with a tokenizer")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.queries = 40
    common.run(measure, arguments)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = load_tokenizer(arguments.tokenizer or demo_tokenizer(folder))
    shortest, longest = map(int, arguments.words.split(","))
    tables = corpus(arguments.queries, arguments.documents, shortest, longest)
    settings = {
        "style": load_style(arguments.style, "LaMP-5"),
        "chat": ChatFormat(tokenizer),
        "context": 8192,
        "max_new_tokens": 64,
    }
    seconds, processor, results = common.in_turn(
        3, {"ours": lambda: build_prompts(*tables, [arguments.k], **settings)}
    )
    loop_seconds, loop_processor, expected = common.in_turn(
        1, {"loop": lambda: pack_by_rendering(*tables, arguments.k, **settings)}
    )
    seconds |= loop_seconds
    processor |= loop_processor
    packed, expected = results["ours"], expected["loop"]
    identical = [packed[name].to_pylist() for name in ("document_ids", "token_ids")] == expected
    kept, tokens = (sum(map(len, rows)) / len(rows) for rows in expected)
    speedup = seconds["loop"] / seconds["ours"]
    common.show(
        f"packing: {arguments.queries} queries x {arguments.documents} documents, {arguments.k}",
        [
            ("documents kept, tokens (on average)", f"{kept:.1f}, {tokens:,.0f}"),
            ("the loop", f"{seconds['loop']:.1f} s"),
            ("ours", f"{seconds['ours']:.2f} s"),
            ("ours", f"{len(packed) / seconds['ours']:.0f} prompts/s"),
            ("speed-up", f"{speedup:.1f} x"),
            ("the same in processor time", f"{processor['loop'] / processor['ours']:.1f} x"),
            ("same documents and token ids", str(identical)),
        ],
    )
    return {"packing_speedup": round(speedup, 1), "packing_identical": identical}


if __name__ == "__main__":
    main()
