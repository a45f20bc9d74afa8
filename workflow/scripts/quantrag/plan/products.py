"""What the rules look up about tables, figures and publication tables."""

from quantrag.config.experiment import Experiment
from quantrag.config.recorded import RecordedExperiment
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.presentation.catalogue import (
    FIGURES,
    PUBLICATION_TABLES,
    Extent,
    figures_of,
    publication_tables_of,
    tables_of,
)

FIGURE_FORMATS = ("pdf", "svg", "png")
PUBLICATION_FORMATS = ("tex", "md", "html")


class ProductPlan:
    """What an experiment ends in.

    Attributes:
        tables: path of every table of the analysis.
        figures: path of every figure, in every format.
        publications: path of every publication table, in every format.
    """

    def __init__(
        self,
        experiment: Experiment | RecordedExperiment,
        *,
        quantizes: bool = False,
        corpora: bool = False,
    ) -> None:
        """Choose from the catalogue what this experiment has.

        Args:
            experiment: the configuration.
            quantizes: whether the workflow quantizes any checkpoint itself.
            corpora: whether any task's queries search a shared corpus.
        """
        if isinstance(experiment, RecordedExperiment):
            extent = _recorded_extent(experiment)
            self._ks = experiment.names("k")
        else:
            self._ks = experiment.k
            extent = Extent(
                precisions=len(experiment.precisions),
                retrievers=len(experiment.retrievers),
                quantizes=quantizes,
                corpora=corpora,
                likelihoods=experiment.generation.likelihood != "none",
            )
        self._confidence = experiment.statistics.confidence
        self.tables = [_table(name) for name in tables_of(extent)]
        self.figures = [
            f"<results>/figures/{name}.{kind}"
            for name in figures_of(extent)
            for kind in FIGURE_FORMATS
        ]
        self.publications = [
            f"<results>/tables/{name}.{kind}"
            for name in publication_tables_of(extent)
            for kind in PUBLICATION_FORMATS
        ]

    def tables_of_figure(self, figure: str) -> dict[str, str]:
        """The tables that a figure is drawn from, by name."""
        return {name: _table(name) for name in FIGURES[figure].tables}

    def tables_of_publication(self, publication: str) -> dict[str, str]:
        """The tables that a publication table is made from, by name."""
        return {name: _table(name) for name in PUBLICATION_TABLES[publication].tables}

    def figure_caption(self, figure: str) -> str:
        """What the workflow's report says of a figure."""
        return FIGURES[figure].printed_caption(self._confidence, self._ks)

    def figure_label(self, figure: str) -> dict[str, str]:
        """How the workflow's report lists a figure."""
        return {"Figure": FIGURES[figure].title}

    def publication_label(self, publication: str) -> dict[str, str]:
        """How the workflow's report lists a publication table."""
        return {"Table": PUBLICATION_TABLES[publication].title}


def _recorded_extent(experiment: RecordedExperiment) -> Extent:
    """What can be shown of recorded answers: nothing of prompts, checkpoints and costs."""
    return Extent(
        precisions=len(set(experiment.names("precision")) - {NOISE_FLOOR}),
        retrievers=len(set(experiment.names("retriever")) - {NO_RETRIEVER}),
        quantizes=False,
        generates=False,
        over_k=len(experiment.names("k")) > 1,
        replicates=any(task.kind == "lamp" for task in experiment.tasks.values()),
        without=experiment.recorded.without is not None,
    )


def _table(name: str) -> str:
    return f"<results>/tables/{name}.csv"
