"""Files of ab-ch90/quantization-flips-small-llms: the answers of one model, precision, benchmark.

`{"model", "precision", "benchmark", "preds": [letter, ...], "confs": [probability, ...]}`, in the
order of the benchmark's items in a file of their own:
`{benchmark: [{"id", "question", "options": {letter: text}, "answer": letter}, ...]}`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.recorded.record import Record, read_json, text_of, wanted

#: Where the items lie beside the answers, unless the configuration says otherwise.
ITEMS = "_bench_items.json.gz"


def read(path: Path, options: Mapping[str, Any]) -> list[Record]:
    """The answers of a file, one for each item of its benchmark.

    Args:
        path: the file with the answers.
        options: `items`, the file with the items; null for `ITEMS` beside the answers.

    Raises:
        UserError: a file is missing or has another layout, the benchmark isn't among the items, or
            the numbers of answers and items differ.
    """
    answers = read_json(path)
    if not isinstance(answers, dict):
        raise UserError(f"{path}: not a JSON object with 'benchmark' and 'preds'.")
    benchmark = wanted(answers, "benchmark", str(path))
    predictions = wanted(answers, "preds", str(path))
    source = Path(options.get("items") or path.with_name(ITEMS))
    benchmarks = _items(source)
    if benchmark not in benchmarks:
        known = ", ".join(benchmarks)
        raise UserError(f"{path}: unknown benchmark {benchmark!r}. {source} has: {known}.")
    items = benchmarks[benchmark]
    if len(items) != len(predictions):
        raise UserError(
            f"{path}: {len(predictions):,} answers, but {source} has {len(items):,} items of "
            f"{benchmark}."
        )
    records = []
    for place, (item, prediction) in enumerate(zip(items, predictions, strict=True)):
        where = f"{source}, {benchmark}, item {place}"
        options_of_item = wanted(item, "options", where)
        listed = "\n".join(f"{letter}. {text}" for letter, text in options_of_item.items())
        records.append(
            Record(
                item=str(wanted(item, "id", where)),
                where=f"{path}, answer {place}",
                text="" if prediction is None else text_of(prediction),
                golds=(text_of(wanted(item, "answer", where)),),
                input=f"{wanted(item, 'question', where)}\n{listed}",
            )
        )
    return records


@cache
def _items(path: Path) -> dict[str, list[dict[str, Any]]]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a JSON object with a list of items for each benchmark.")
    return content
