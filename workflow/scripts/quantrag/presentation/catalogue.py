"""Every table and figure of an experiment, once: what it is called, shows, and is made from.

The rules, the printed figures, the publication tables, the report and all captions read it. It
imports nothing heavy, so that the Snakefile can read it too.

A figure's drawing function is found by the figure's name: `draw` in
`quantrag.presentation.figures.<name>` and, for the report, `views` in
`quantrag.presentation.report.charts.<name>`. A publication table's is `make` in
`quantrag.presentation.publication.<name>_table`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from quantrag.grid import K
from quantrag.presentation.columns import RETRIEVAL_MEASURES


@dataclass(frozen=True)
class Extent:
    """What decides which tables and figures an experiment has.

    Attributes:
        precisions: how many.
        retrievers: how many.
        quantizes: whether any checkpoint is quantized here, which records its errors.
        generates: whether the models ran here; recorded answers have no costs and no checkpoints.
        over_k: whether there is more than one k.
        replicates: whether there may be published values of its tasks.
        corpora: whether questions search a shared corpus; of these the evidence may be known.
        without: whether the comparisons are made a second time, without some recorded answers.
        likelihoods: whether likelihoods are measured.
    """

    precisions: int
    retrievers: int
    quantizes: bool
    generates: bool = True
    over_k: bool = True
    replicates: bool = True
    corpora: bool = False
    without: bool = False
    likelihoods: bool = False


def _always(extent: Extent) -> bool:
    return True


def _several_precisions(extent: Extent) -> bool:
    return extent.precisions > 1


def _several_rankings(extent: Extent) -> bool:
    return extent.retrievers > 1 and extent.generates


def _generates(extent: Extent) -> bool:
    return extent.generates


def _over_k(extent: Extent) -> bool:
    return extent.over_k


def _replicates(extent: Extent) -> bool:
    return extent.replicates


def _without(extent: Extent) -> bool:
    return extent.without


def _several_precisions_over_k(extent: Extent) -> bool:
    return extent.precisions > 1 and extent.over_k


def _likelihoods(extent: Extent) -> bool:
    return extent.precisions > 1 and extent.likelihoods


def _corpora(extent: Extent) -> bool:
    return extent.corpora


def _several_precisions_and_corpora(extent: Extent) -> bool:
    return extent.precisions > 1 and extent.corpora


def _quantizes(extent: Extent) -> bool:
    return extent.quantizes


@dataclass(frozen=True)
class TableEntry:
    """A table of the analysis, `tables/<name>.csv`.

    Attributes:
        name: of its file.
        title: in the report.
        caption: in the report.
        shown: the columns that the report shows, where the table has them.
        required: the columns that figures, publication tables and report can't do without.
        opens: whether the report shows its rows at once, if they are few.
        when: which experiments have it.
    """

    name: str
    title: str
    caption: str
    shown: tuple[str, ...]
    required: tuple[str, ...]
    opens: bool = False
    when: Callable[[Extent], bool] = _always


_LINE = ("task", "metric", "model", "precision", "retriever")

_COMPARISONS = TableEntry(
    name="comparisons",
    title="Comparisons with the baseline",
    caption="Every precision against the baseline.",
    shown=(
        *(*_LINE, "k", "verdict", "difference", "ci_low", "ci_high", "margin", "p_holm"),
        *("p_equivalence", "min_detectable_holm", "flip_rate", "noise_flip_rate", "n"),
        *("n_differing", "margin_needs"),
    ),
    required=(
        *("task", "model", "retriever", "k", "metric", "baseline", "precision"),
        *("difference", "ci_low", "ci_high", "margin", "flip_rate", "noise_flip_rate"),
        *("verdict", "baseline_value", "n_differing"),
    ),
    opens=True,
)
_POOLED = TableEntry(
    name="pooled",
    title="All cells together",
    caption=(
        "The mean over all cells (retrievers and k) of a model against the baseline. The "
        "noise floor, if it was run, is the baseline against itself."
    ),
    shown=(
        *("task", "metric", "model", "precision", "verdict", "difference", "ci_low"),
        *("ci_high", "margin", "p_holm", "p_equivalence", "n_cells", "n", "n_differing"),
        *("margin_needs",),
    ),
    required=(
        *("task", "metric", "model", "precision", "verdict", "difference", "ci_low"),
        *("ci_high", "margin", "p_holm", "n_cells"),
    ),
    opens=True,
)

#: In the order of the report.
TABLES = {
    entry.name: entry
    for entry in (
        _COMPARISONS,
        _POOLED,
        replace(
            _COMPARISONS,
            name="comparisons_without",
            title="Comparisons with the baseline, without some answers",
            caption=(
                "Every precision against the baseline where neither answer is one of those that "
                "recorded.without names; flip rates are over the same answers."
            ),
            opens=False,
            when=_without,
        ),
        replace(
            _POOLED,
            name="pooled_without",
            title="All cells together, without some answers",
            caption="As in “All cells together”, without the answers that recorded.without names.",
            opens=False,
            when=_without,
        ),
        TableEntry(
            name="evidence",
            title="Comparisons by evidence",
            caption=(
                "The comparisons over the answers whose prompt holds a document with the answer, "
                "over those whose prompt doesn't, and by the third of the prompt's documents in "
                "which it stands. “present-absent” is the first difference minus the second."
            ),
            shown=(
                *(*_LINE, "k", "evidence", "verdict", "difference", "ci_low", "ci_high", "margin"),
                *("p_holm", "p_equivalence", "flip_rate", "n", "n_differing", "margin_needs"),
            ),
            required=(
                *("task", "model", "retriever", "k", "evidence", "metric", "baseline"),
                *("precision", "difference", "ci_low", "ci_high", "margin", "p_holm", "verdict"),
                *("n", "n_differing", "n_cells"),
            ),
            opens=True,
            when=_corpora,
        ),
        TableEntry(
            name="scores",
            title="Scores",
            caption="The score of every cell, with its interval.",
            shown=(*_LINE, "k", "value", "ci_low", "ci_high", "n", "unparseable_rate"),
            required=(*_LINE, "k", "value", "ci_low", "ci_high", "n", "unparseable_rate"),
        ),
        TableEntry(
            name="trends",
            title="Trends",
            caption=(
                "Change of the difference to the baseline per doubling of the prompt's tokens, "
                "over k of 1 or more; and the step that it makes from k = 0 to these."
            ),
            shown=(
                *(*_LINE, "slope_per_doubling", "ci_low", "ci_high", "p_holm", "baseline_slope"),
                *("step", "n", "n_differing"),
            ),
            required=(*_LINE, "slope_per_doubling", "ci_low", "ci_high", "p_holm", "n"),
            when=_over_k,
        ),
        TableEntry(
            name="costs",
            title="Costs",
            caption=(
                "What generation took over the whole grid. Weights are on disk, and as they lie in "
                "memory. The cache's tokens fit into the memory that the engine was given: the "
                "longest context times the batch. The smallest card holds the weights and one "
                "longest prompt; none is named for jobs on a CPU. Peak memory includes the cache "
                "that vLLM reserves, which is the same for every precision. Time and energy "
                "include the reading of likelihoods, of which the baseline has less."
            ),
            shown=(
                *("model", "precision", "engine", "device", "weights_gib", "loaded_gib"),
                *("cache_bytes_per_token", "cache_tokens", "longest_tokens", "memory_gib"),
                *("smallest_gpu", "peak_memory_gib", "load_s"),
                *("prompt_tokens", "cached_tokens", "output_tokens"),
                *("prompt_tokens_per_s", "output_tokens_per_s", "energy_wh"),
            ),
            required=(
                *("model", "precision", "engine", "device", "weights_gib", "memory_gib"),
                *("smallest_gpu", "peak_memory_gib"),
                *("load_s", "prompt_tokens", "output_tokens"),
                *("prompt_tokens_per_s", "output_tokens_per_s", "energy_wh"),
            ),
            opens=True,
            when=_generates,
        ),
        TableEntry(
            name="checkpoints",
            title="Checkpoints",
            caption=(
                "Errors are means over the layers that were quantized here. Perplexity is on "
                "evaluated texts; lower is better."
            ),
            shown=(
                *("model", "precision", "method", "weight_gib", "bits_per_weight", "weight_error"),
                *("output_error", "perplexity", "perplexity_tokens"),
            ),
            required=(
                *("model", "precision", "method", "layer", "module", "weight_error"),
                *("output_error", "bits_per_weight", "weight_bytes", "perplexity"),
                *("perplexity_tokens",),
            ),
            opens=True,
            when=_generates,
        ),
        TableEntry(
            name="retrievers",
            title="Agreement of the retrievers",
            caption="Means over the queries; 1 is full agreement.",
            shown=("task", "retriever_a", "retriever_b", "top1", "top5", "rbo", "n"),
            required=("task", "retriever_a", "retriever_b", "top1", "top5", "rbo", "n"),
            when=_several_rankings,
        ),
        TableEntry(
            name="retrieval",
            title="Quality of retrieval",
            caption=(
                "How well each retriever finds the documents that hold the answers: means over the "
                "n questions whose evidence is known. The index's recall is the share of the best "
                "documents that its graph finds; 1 for an exact search."
            ),
            shown=(
                *("task", "retriever", "recall_1", "recall_3", "recall_5", "recall_10", "mrr"),
                *("ndcg_10", "n", "index_recall"),
            ),
            required=(
                *("task", "retriever", "n", "index_recall"),
                *(
                    f"{measure}{end}"
                    for measure in RETRIEVAL_MEASURES
                    for end in ("", "_low", "_high")
                ),
            ),
            opens=True,
            when=_corpora,
        ),
        TableEntry(
            name="replication",
            title="Replication",
            caption="Published values beside ours.",
            shown=(
                *(*_LINE, "k", "published", "ours", "ci_low", "ci_high", "difference"),
                *("status", "source"),
            ),
            required=(
                *(*_LINE, "k", "published", "ours", "ci_low", "ci_high", "difference"),
                *("status", "source"),
            ),
            when=_replicates,
        ),
    )
}


@dataclass(frozen=True)
class FigureEntry:
    """A figure, in print and, if it is interactive, in the report.

    Its captions may name `{level}`, the confidence in percent, and `{baseline}`; the report's also
    `{devices}`, what generation ran on.

    Attributes:
        name: of its files, and of the modules that draw it.
        title: in lists and in the report.
        caption: what both show.
        tables: that it is made from; the parameters of `draw` and `views`.
        printed: sentences after the caption, on what only the printed figure shows.
        in_report: sentences after the caption, on what only the report's figure shows.
        noise: sentence on the noise floor; `{noise}` is how it looks.
        windows: sentence on values of k that fill a window; `{window}` is one of them.
        when: which experiments have it, if they have the tables.
        interactive: whether the report has it too.
    """

    name: str
    title: str
    caption: str
    tables: tuple[str, ...]
    printed: str = ""
    in_report: str = ""
    noise: str = ""
    windows: str = ""
    when: Callable[[Extent], bool] = _always
    interactive: bool = True

    def printed_caption(self, confidence: float, ks: Collection[str]) -> str:
        """The caption of the printed figure.

        Args:
            confidence: level of the intervals, from 0 to 1.
            ks: the experiment's values of k.
        """
        parts = [self.caption, self._on_windows(ks), self.noise, self.printed]
        look = {"noise": "the hatched area", "baseline": "the baseline"}
        return _joined(parts, level=_percent(confidence), **look)

    def report_caption(
        self,
        confidence: float,
        baseline: str,
        noise_floor: bool,
        devices: str,
        ks: Collection[str],
    ) -> str:
        """The caption of the report's figure.

        Args:
            confidence: level of the intervals, from 0 to 1.
            baseline: its name in print.
            noise_floor: whether it was run.
            devices: engines and devices of the generation, in words.
            ks: the experiment's values of k.
        """
        noise = self.noise if noise_floor else ""
        parts = [self.caption, self._on_windows(ks), noise, self.in_report]
        look = {"noise": "in grey", "baseline": baseline}
        return _joined(parts, level=_percent(confidence), devices=devices, **look)

    def _on_windows(self, ks: Collection[str]) -> str:
        windows = sorted((k for k in map(K.parse, ks) if k.fills), key=lambda k: k.number)
        if not windows:
            return ""
        return self.windows.format(window=windows[0].label, number=windows[0].number)

    @property
    def source_file(self) -> str:
        """The module that draws it in print, below the folder of the scripts."""
        return f"quantrag/presentation/figures/{self.name}.py"

    @property
    def chart_file(self) -> str:
        """The module that specifies the report's figure, below the folder of the scripts."""
        return f"quantrag/presentation/report/charts/{self.name}.py"


def _joined(parts: list[str], **values: str) -> str:
    return " ".join(filter(None, parts)).format(**values)


def _percent(share: float) -> str:
    return f"{share * 100:g}%"


_VERDICTS = (
    "“Worse” and “better”: the paired test finds a difference, with p adjusted for all comparisons "
    "of the task and metric, all cells of a model together first. “Equivalent”: the difference is "
    "shown to be smaller than the margin. “Inconclusive”: neither is shown, which is not the same "
    "as no difference. Hollow marks: fewer than 15 scores differ, so little is known."
)

#: In the order of the report.
FIGURES = {
    entry.name: entry
    for entry in (
        FigureEntry(
            name="k_sweep",
            title="Score against k",
            tables=("scores", "comparisons"),
            caption=(
                "Score against the number k of retrieved documents. All precisions of a model read "
                "the same prompts. Bands or whiskers are {level} intervals. "
                "k = 0 has no retriever and is the common first point."
            ),
            windows=(
                "{window} stands for as many whole documents as fit in {number} times 1,024 tokens."
            ),
            printed="Rows are models, columns retrievers, lines precisions.",
            when=_over_k,
        ),
        FigureEntry(
            name="quantization_gap",
            title="Difference to the baseline against k",
            tables=("scores", "comparisons"),
            caption=(
                "Difference between each precision and {baseline} on the same prompts, against the "
                "number k of retrieved documents, with {level} intervals. The pale band is the "
                "equivalence margin."
            ),
            noise=(
                "The noise floor ({noise}) is how far the baseline is from itself when its answers "
                "are generated in another batch order: a difference inside it says nothing about "
                "quantization."
            ),
            printed=(
                "Margin: the narrowest of the retrievers'; noise floor: the largest. Hollow marks: "
                "fewer than 15 scores differ."
            ),
            when=_several_precisions_over_k,
        ),
        FigureEntry(
            name="forest",
            title="All comparisons",
            tables=("comparisons",),
            caption=(
                "Every comparison with {baseline}: difference, {level} interval, and the "
                f"equivalence margin as a pale bar. Markers are verdicts. {_VERDICTS}"
            ),
            when=_several_precisions,
        ),
        FigureEntry(
            name="evidence",
            title="Difference by evidence in the prompt",
            tables=("evidence",),
            caption=(
                "Difference from {baseline}, with {level} intervals, where the prompt holds a "
                "document with the answer and where it doesn't, and by the third of the prompt's "
                "documents in which it stands; all cells of a model together. The pale bar is the "
                "equivalence margin. “In − not in” is the first difference minus the second. "
                "Questions whose evidence is found are other questions than those whose evidence "
                "isn't, so it is no effect of the evidence alone. Hollow marks: fewer than 15 "
                "scores differ."
            ),
            when=_several_precisions_and_corpora,
        ),
        FigureEntry(
            name="flips",
            title="Changed answers against k",
            tables=("comparisons",),
            caption=(
                "Share of answers that differ from those of {baseline} on the same prompts, "
                "against the number k of retrieved documents. An equal score can hide many changed "
                "answers that cancel out."
            ),
            noise=(
                "The noise floor ({noise}) is the share that differs between two passes of the "
                "baseline itself in different batch orders."
            ),
            when=_several_precisions,
        ),
        FigureEntry(
            name="likelihood",
            title="Answers and scores against likelihoods",
            tables=("comparisons",),
            caption=(
                "A mark for each comparison with {baseline}: the share of changed answers, and the "
                "difference of the score, against the difference in how likely the golds are. "
                "Where likelihoods differ and scores don't, the model has moved without an effect "
                "on this score, or with one that the score is too coarse to show."
            ),
            when=_likelihoods,
        ),
        FigureEntry(
            name="quality_cost",
            title="Score against cost",
            tables=("scores", "comparisons", "costs"),
            caption=(
                "Mean score over all k and retrievers against the memory of the weights as loaded "
                "with the cache of the longest prompt (the weights on disk, where the engine "
                "doesn't say), the throughput and, where it was measured, the energy. Grey lines "
                "lead from each model's baseline to the model's other precisions. No point beats "
                "one on the Pareto front (dashed) in both score and cost. Throughput and energy "
                "belong to the device that they were measured on."
            ),
            printed="Where there are several models, a letter beside its baseline names each.",
            in_report="Measured with {devices}.",
        ),
        FigureEntry(
            name="retrievers_compared",
            title="Retrievers compared",
            tables=("scores", "comparisons", "retrievers"),
            caption=(
                "How far the rankings of two retrievers agree, mean over the queries: share of "
                "queries with the same first document, share of the first five documents that they "
                "have in common, and rank-biased overlap (RBO); 1 is full agreement."
            ),
            printed=(
                "Above it the score of {baseline} with each retriever, with {level} intervals."
            ),
        ),
        FigureEntry(
            name="retrieval_quality",
            title="Quality of retrieval",
            tables=("retrieval",),
            caption=(
                "How well each retriever finds the documents that hold the answers, mean over the "
                "questions whose evidence is known, with {level} intervals: recall among the first "
                "1, 3, 5 and 10 documents, mean reciprocal rank (MRR) and nDCG of the first 10; 1 "
                "is best."
            ),
            when=_corpora,
        ),
        FigureEntry(
            name="layer_errors",
            title="Quantization error by layer",
            tables=("checkpoints",),
            caption=(
                "What quantization did to each linear layer: norm of the error over the norm of "
                "the original, for the layer's weights and, where it was recorded, for its outputs "
                "on calibration texts; of experts, the mean. Lower is better."
            ),
            when=_quantizes,
        ),
    )
}


@dataclass(frozen=True)
class PublicationEntry:
    """A publication table: LaTeX, Markdown and HTML.

    Attributes:
        name: of its files; with `_table`, of the module that makes it.
        title: in lists.
        caption: in the workflow's report.
        tables: that it is made from.
        when: which experiments have it, if they have the tables.
    """

    name: str
    title: str
    caption: str
    tables: tuple[str, ...]
    when: Callable[[Extent], bool] = _always

    @property
    def source_file(self) -> str:
        """The module that makes it, below the folder of the scripts."""
        return f"quantrag/presentation/publication/{self.name}_table.py"


PUBLICATION_TABLES = {
    entry.name: entry
    for entry in (
        PublicationEntry(
            name="main",
            title="Main result",
            tables=("scores", "comparisons"),
            caption=(
                "Scores of every model and precision by the number k of retrieved documents, for "
                "each task, metric and retriever. The best of each k and retriever is in bold; "
                "marks give the verdict of the paired comparison with the baseline."
            ),
        ),
        PublicationEntry(
            name="change",
            title="Relative change",
            tables=("comparisons",),
            caption=(
                "Change after quantization in percent of the baseline's score; marks give the "
                "verdict of the paired comparison."
            ),
            when=_several_precisions,
        ),
        PublicationEntry(
            name="retrievers",
            title="Agreement of retrievers",
            tables=("retrievers",),
            caption="How far the rankings of two retrievers agree.",
        ),
        PublicationEntry(
            name="costs",
            title="Costs",
            tables=("costs",),
            caption=(
                "Memory, time and energy that generation took, the reading of likelihoods "
                "included, of which the baseline has less. Speed and energy belong to the device "
                "that they were measured on."
            ),
        ),
        PublicationEntry(
            name="replication",
            title="Replication",
            tables=("replication",),
            caption=(
                "Published values beside ours: OK where they are no further apart than the "
                "tolerance stated for the value, OKish where no further than twice that, FAIL "
                "otherwise."
            ),
        ),
    )
}


def chart_files() -> list[str]:
    """The modules that specify the report's figures, below the folder of the scripts."""
    return [entry.chart_file for entry in FIGURES.values() if entry.interactive]


def tables_of(extent: Extent) -> list[str]:
    """The tables of the analysis that an experiment has."""
    return [name for name, entry in TABLES.items() if entry.when(extent)]


def figures_of(extent: Extent) -> list[str]:
    """The figures that an experiment has."""
    return _available(FIGURES, extent)


def publication_tables_of(extent: Extent) -> list[str]:
    """The publication tables that an experiment has."""
    return _available(PUBLICATION_TABLES, extent)


def _available(
    entries: dict[str, FigureEntry] | dict[str, PublicationEntry], extent: Extent
) -> list[str]:
    tables = set(tables_of(extent))
    return [
        name
        for name, entry in entries.items()
        if entry.when(extent) and tables.issuperset(entry.tables)
    ]
