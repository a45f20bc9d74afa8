"""The columns of the tables as a reader sees them: their names in print, units and decimals.

Light, as the catalogue is, which the Snakefile reads.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of `tables/*.csv`, or one derived from them, as a reader sees it.

    Attributes:
        name: in the table.
        label: in the report, with its unit.
        digits: decimals of a number; None for text.
        short: the label where there is little room; empty: `label`.
        few_digits: decimals where there is little room; None: `digits`.
        higher_is_better: direction of improvement, where there is one.
    """

    name: str
    label: str = ""
    digits: int | None = None
    short: str = ""
    few_digits: int | None = None
    higher_is_better: bool | None = None

    @property
    def title(self) -> str:
        """The label as it begins a line."""
        return _capitalized(self.label)

    @property
    def short_label(self) -> str:
        """The label where there is little room."""
        return self.short or self.label

    @property
    def heading(self) -> str:
        """The label above a column of a publication table."""
        return _capitalized(self.short_label)

    @property
    def heading_digits(self) -> int | None:
        """Decimals in a publication table."""
        return self.digits if self.few_digits is None else self.few_digits


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(*names: str) -> list[Column]:
    return [Column(name, name) for name in names]


COLUMNS = {
    column.name: column
    for column in (
        *_text("task", "model", "precision", "retriever", "k", "metric", "baseline", "verdict"),
        *_text("evidence", "engine", "device", "method", "module", "status", "source"),
        Column("smallest_gpu", "smallest card"),
        Column("retriever_a", "retriever"),
        Column("retriever_b", "and"),
        Column("n", "n", 0),
        Column("value", "value", 4),
        Column("difference", "difference", 4),
        Column("ci_low", "from", 4),
        Column("ci_high", "to", 4),
        Column("margin", "margin", 4),
        Column("p_holm", "adjusted p", 4),
        Column("p_equivalence", "p of equivalence", 4),
        Column("min_detectable_holm", "smallest detectable", 4),
        Column("n_differing", "differ", 0),
        Column("n_cells", "cells", 0),
        Column("margin_needs", "needed for the margin", 0),
        Column("step", "step from k = 0", 4),
        Column("baseline_slope", "baseline's slope", 4),
        Column("flip_rate", "changed answers", 3),
        Column("noise_flip_rate", "noise floor", 3),
        Column("unparseable_rate", "not readable", 3),
        Column("slope_per_doubling", "slope per doubling", 4),
        Column("published", "published", 4),
        Column("ours", "ours", 4),
        Column("weights_gib", "weights (GiB)", 2, higher_is_better=False),
        Column("loaded_gib", "weights as loaded (GiB)", 2, higher_is_better=False),
        Column("cache_bytes_per_token", "cache per token (bytes)", 0, higher_is_better=False),
        Column("cache_tokens", "tokens in the cache", 0),
        Column("longest_tokens", "longest prompt", 0),
        Column(
            *("memory_gib", "weights and longest prompt (GiB)", 2, "memory (GiB)"),
            higher_is_better=False,
        ),
        Column("peak_memory_gib", "peak memory (GiB)", 2, "peak (GiB)", higher_is_better=False),
        Column("load_s", "loading (s)", 1, "load (s)", 0, higher_is_better=False),
        Column("prompt_tokens", "prompt tokens", 0),
        Column("cached_tokens", "cached tokens", 0),
        Column("output_tokens", "output tokens", 0),
        Column("prompt_tokens_per_s", "prompt tokens/s", 1, "prompt tok/s", 0, True),
        Column("output_tokens_per_s", "output tokens/s", 1, "output tok/s", 0, True),
        Column("energy_wh", "energy (Wh)", 2, "", 1, higher_is_better=False),
        Column("wh_per_1k", "Wh per 1,000 tokens", 2, higher_is_better=False),
        Column("weight_gib", "all weights (GiB)", 3),
        Column("bits_per_weight", "bits per weight", 2),
        Column("weight_error", "relative error of the weights", 4),
        Column("output_error", "relative error of the outputs", 4),
        Column("perplexity", "perplexity", 2),
        Column("perplexity_tokens", "perplexity tokens", 0),
        Column("top1", "same first document", 3, "same first", 2),
        Column("top5", "first five in common", 3, "first five", 2),
        Column("rbo", "RBO", 3, "", 2),
        *(Column(f"recall_{k}", f"recall@{k}", 3) for k in (1, 3, 5, 10)),
        Column("mrr", "MRR", 3),
        Column("ndcg_10", "nDCG@10", 3),
        Column("index_recall", "recall of the index", 4),
    )
}
#: Measures of retrieval, in the order of figures.
RETRIEVAL_MEASURES = ("recall_1", "recall_3", "recall_5", "recall_10", "mrr", "ndcg_10")
#: Columns that are text whatever their values look like: a k of 3 is the name "3".
TEXT_COLUMNS = frozenset(name for name, column in COLUMNS.items() if column.digits is None)
