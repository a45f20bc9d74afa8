"""The one look of all figures: sizes, type, colours, markers, and how a figure is saved.

Colours are Okabe and Ito's (Color Universal Design, 2008), which readers with the common colour
vision deficiencies tell apart; every line also has its own marker and dash pattern, so that a
greyscale print reads as well. Widths are those of a column and of a page in two-column papers.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from quantrag.tables import atomic_path

COLUMN_WIDTH = 3.3  # inches
PAGE_WIDTH = 7.0  # inches
PAGE_HEIGHT = 9.0  # inches

TEXT = 7.0  # points
SMALL = 6.0  # points; no text in a figure is smaller

BLACK = "#000000"
GREY = "#767676"
LIGHT = "#D9D9D9"
MARGIN = "#DCEBF5"  # of equivalence; pale enough for lines of any colour on it
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"

SOLID = "solid"
DASHED = (0, (4, 1.5))
DOTTED = (0, (1, 1.2))
DASH_DOT = (0, (5, 1.2, 1, 1.2))
LONG_DASH = (0, (8, 2))
DASH_DOT_DOT = (0, (5, 1.2, 1, 1.2, 1, 1.2))


@dataclass(frozen=True)
class LineStyle:
    """Colour, marker and dash pattern of one line."""

    color: str
    marker: str
    dashes: str | tuple
    filled: bool = True

    def line(self) -> dict:
        """Keyword arguments for `Axes.plot`."""
        return {"linestyle": self.dashes, "linewidth": 1.1, **self.points()}

    def points(self) -> dict:
        """Keyword arguments for `Axes.plot` or `Axes.errorbar` without the line itself."""
        return {
            "color": self.color,
            "marker": self.marker,
            "markersize": 3.4,
            "markerfacecolor": self.color if self.filled else "white",
            "markeredgecolor": self.color,
            "markeredgewidth": 0.8,
        }


#: Laid over a mark: little is known there, since few scores differ.
HOLLOW = {"linestyle": "none", "marker": "o", "markersize": 1.5, "color": "white", "zorder": 5}


# The first is the baseline's. Neighbours differ in lightness as well as in hue.
_PRECISIONS = (
    LineStyle(BLACK, "o", SOLID),
    LineStyle(VERMILION, "s", DASHED),
    LineStyle(BLUE, "^", DOTTED),
    LineStyle(ORANGE, "D", DASH_DOT),
    LineStyle(GREEN, "v", LONG_DASH, filled=False),
    LineStyle(PURPLE, "P", DASH_DOT_DOT),
    LineStyle(SKY, "X", SOLID),
    LineStyle(VERMILION, "o", DOTTED, filled=False),
    LineStyle(BLUE, "s", DASH_DOT, filled=False),
)
_RETRIEVERS = (
    LineStyle(BLUE, "o", SOLID),
    LineStyle(ORANGE, "s", DASHED),
    LineStyle(GREEN, "^", DOTTED),
    LineStyle(PURPLE, "D", DASH_DOT, filled=False),
    LineStyle(BLACK, "v", LONG_DASH),
    LineStyle(SKY, "P", DASH_DOT_DOT),
    LineStyle(VERMILION, "X", SOLID),
    LineStyle(BLUE, "s", DOTTED, filled=False),
)

# Marker, colour and filling of each verdict of a comparison.
VERDICT_STYLES = {
    "worse": LineStyle(VERMILION, "v", SOLID),
    "better": LineStyle(GREEN, "^", SOLID),
    "equivalent": LineStyle(BLUE, "s", SOLID),
    "inconclusive": LineStyle(GREY, "o", SOLID, filled=False),
}


def precision_styles(precisions: Sequence[str]) -> dict[str, LineStyle]:
    """A style for each precision, the baseline being the first. They repeat after nine."""
    return _assign(precisions, _PRECISIONS)


def retriever_styles(retrievers: Sequence[str]) -> dict[str, LineStyle]:
    """A style for each retriever. They repeat after eight."""
    return _assign(retrievers, _RETRIEVERS)


def _assign(names: Sequence[str], styles: Sequence[LineStyle]) -> dict[str, LineStyle]:
    return {name: styles[i % len(styles)] for i, name in enumerate(names)}


_SETTINGS = {
    # DejaVu comes with matplotlib, so that a figure looks alike on every machine.
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": LIGHT,
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "legend.borderpad": 0.0,
    "legend.borderaxespad": 0.0,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.4,
    "legend.labelspacing": 0.35,
    # A name from a table is text, never a formula.
    "text.parse_math": False,
    "text.usetex": False,
    # Hinting would give a text another width at another resolution, and measuring would be wrong.
    "text.hinting": "none",
    "figure.dpi": 300,
    "savefig.dpi": "figure",
    "svg.fonttype": "path",
    "svg.hashsalt": "quantrag",
    "pdf.fonttype": 42,
}
_METADATA = {
    "svg": {"Date": None, "Creator": "quantrag"},
    "pdf": {"CreationDate": None, "Creator": "quantrag"},
    "png": {"Software": "quantrag"},
}


@contextlib.contextmanager
def context() -> Iterator[None]:
    """Draw and save inside this, so that no setting of the user's matplotlib changes a figure."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, that can measure its text."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure in the format of the path's suffix (pdf, svg or png).

    The same figure gives the same bytes: no dates, and ids in the SVG that don't change.
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=_METADATA[kind])
