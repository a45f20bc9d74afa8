"""The answers of Yazan et al. (2024, arXiv 2406.10251), as their repository has them.

github.com/myazann/RAG at commit 64b01477, `RAG/LAMP/res_pkls/{D3,D5}/dev/K{0,1,3,5,max}/`
`[retriever/]{MODEL}[-4K][-AWQ].pkl`: pickles of lists of 2,487 texts, LaMP's dev queries in the
order of their numbers without the 0.5% longest. Under `Kmax`, `-4K` is max_4K and the plain name
max_8K (of Llama-2 max_4K). Other orders of the documents are in `K{3,5,max}_{reverse,shuffle}/`.
"""

import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quantrag.errors import UserError
from quantrag.recorded.paper_files import TASKS
from quantrag.recorded.record import Record, read_json
from quantrag.scoring.metrics import recorded_key
from quantrag.tasks.registry import load

ANSWERS = 2487
#: Scores that need no golds: an answer with a chat marker in it went on past its end; in one
#: without a rating from 1 to 5 their code reads a 0.
PAST_END = recorded_key("past the end", higher_is_better=False)
UNREADABLE = recorded_key("unreadable", higher_is_better=False)
_MARKERS = re.compile(r"</?s>|<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|\bGPT4\b", re.IGNORECASE)

_LOGGED = re.compile(r"Review:\n(?P<text>.*)\nScore:", re.DOTALL)


class _TextsOnly(pickle.Unpickler):
    """Unpickles lists and texts; a class or function, which could run anything, is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse every class."""
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Refuse every reference to elsewhere."""
        raise pickle.UnpicklingError("it refers to something outside")


def read_answers(path: Path) -> list[str]:
    """The texts in one of their files.

    Raises:
        UserError: the file is missing, holds anything but a list of texts, or not 2,487.
    """
    try:
        with path.open("rb") as file:
            answers = _TextsOnly(file).load()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}.") from None
    except Exception as error:
        # A broken pickle raises whatever its bytes happen to ask for.
        raise UserError(f"{path}: not a pickle of a list of texts ({error}).") from None
    if not isinstance(answers, list) or not all(isinstance(text, str) for text in answers):
        raise UserError(f"{path}: not a list of texts.")
    if len(answers) != ANSWERS:
        raise UserError(f"{path}: {len(answers):,} answers. The paper's files have {ANSWERS:,}.")
    return answers


def kept_queries(questions: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of the queries that their code keeps, in its order.

    `create_retr_data` of RAG/LAMP/lamp_utils.py: by number, without those of more than the 0.995
    quantile of words (split at single spaces), of what follows the first colon of the input.

    Args:
        questions: LaMP's questions, each with id and input.
    """
    ordered = sorted(questions, key=lambda question: int(question["id"]))
    texts = [_query_text(question["input"]) for question in ordered]
    words = np.array([len(text.split(" ")) for text in texts])
    cutoff = np.quantile(words, 0.995)
    return [q["id"] for q, n in zip(ordered, words, strict=True) if n <= cutoff]


def check_queries(questions: Iterable[Mapping[str, Any]], log_file: Path) -> None:
    """Check that LaMP-3's questions are those that the authors' models were asked.

    Args:
        questions: LaMP's questions, each with id and input.
        log_file: their log of a run at k = 0 over all dev queries: a JSON list of `id` and
            `prompt`, whose last message is `Review:`, the text without white space around its
            lines, and `Score:`.

    Raises:
        UserError: the log isn't one, or has other queries or another text of one.
    """
    logged = {}
    for place, entry in enumerate(read_json(log_file)):
        try:
            found = _LOGGED.fullmatch(entry["prompt"][-1]["content"])
            logged[entry["id"]] = found["text"]
        except (TypeError, KeyError, IndexError):
            raise UserError(f"{log_file}, entry {place}: not a prompt of LaMP-3.") from None
    texts = {q["id"]: _query_text(q["input"]) for q in questions}
    texts = {i: "\n".join(line.strip() for line in text.splitlines()) for i, text in texts.items()}
    other = [i for i in {**logged, **texts} if logged.get(i) != texts.get(i)]
    if other:
        raise UserError(
            f"{log_file}: {len(other):,} of LaMP-3's dev queries aren't those that the paper's "
            f"authors logged, such as {', '.join(map(repr, other[:3]))}. Their answers can't be "
            "matched to these queries."
        )


def _query_text(text: str) -> str:
    """What their code takes for the query: what follows the first colon of the input."""
    return text[text.find(":") + 1 :].strip()


def read(path: Path, options: Mapping[str, Any]) -> list[Record]:
    """The answers in one of their files.

    What counts as a changed answer is what their code reads in it (the rule `paper`).

    Args:
        path: the file, in a folder D3 or D5.
        options: `items`, a JSON file with the queries' ids by data set, as `kept_queries` gives
            them; null numbers the answers.

    Raises:
        UserError: as `read_answers`; no such folder; another number of ids.
    """
    dataset = next((part for part in path.parts if part in TASKS), None)
    if dataset is None:
        raise UserError(f"{path}: not in a folder {' or '.join(TASKS)}.")
    texts = read_answers(path)
    ids = [str(n) for n in range(ANSWERS)]
    if options.get("items"):
        source = Path(options["items"])
        ids = read_json(source).get(dataset, [])
        if len(ids) != ANSWERS:
            raise UserError(f"{source}: {len(ids):,} queries of {dataset}, not {ANSWERS:,}.")
    task = load(dataset, {"kind": "lamp", "lamp": TASKS[dataset]})
    records = []
    for place, (item, text) in enumerate(zip(ids, texts, strict=True)):
        prediction = task.parse(text, "paper")
        records.append(
            Record(
                item=item,
                where=f"{path}, answer {place}",
                text=text,
                key=task.flip_key(prediction),
                scores={
                    PAST_END: float(_MARKERS.search(text) is not None),
                    UNREADABLE: float(not prediction.valid),
                },
            )
        )
    return records
