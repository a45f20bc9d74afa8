"""Drawing a printed figure from synthetic tables."""

from quantrag.presentation.catalogue import FIGURES, Extent, figures_of
from quantrag.presentation.figures import draw_figure

# tasks, models, precisions, retrievers, ks
DEMO, PAPER = (2, 1, 2, 2, 4), (2, 6, 2, 3, 6)


def draw(name, tables):
    """Draw a figure from those of `tables` that it is made from."""
    return draw_figure(name, {key: tables[key] for key in FIGURES[name].tables}, confidence=0.95)


def drawable(name, size):
    """Whether an experiment of such a size has the figure."""
    _, _, precisions, retrievers, _ = size
    extent = Extent(precisions, retrievers, quantizes=True, corpora=True, likelihoods=True)
    return name in figures_of(extent)
