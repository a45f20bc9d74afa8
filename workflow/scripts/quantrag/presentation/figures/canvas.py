"""A figure that is laid out in inches from its upper left corner, with text that is measured."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from quantrag.presentation.figures import style
from quantrag.presentation.labels import shorten

LINE = 0.13  # inches that one line of text takes
EDGE = 0.04  # free margin around a figure
LONGEST = 48  # characters in an entry of a legend


def only_text(text: str) -> Figure:
    """A figure that says in a line why it shows nothing: an experiment still has the file."""
    canvas = Canvas(style.COLUMN_WIDTH)
    canvas.set_height(2 * EDGE + LINE)
    canvas.write(EDGE, EDGE, text, canvas.width - 2 * EDGE)
    return canvas.figure


class Canvas:
    """An empty figure of a given width; its height is set when everything has been measured."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.figure = style.new_figure(width, style.PAGE_HEIGHT)
        self.renderer = self.figure.canvas.get_renderer()

    def set_height(self, height: float) -> None:
        """Set the height of the figure."""
        self.figure.set_size_inches(self.width, height)

    def place(self, axes: Axes, x: float, y: float, width: float, height: float) -> None:
        """Put axes with their upper left corner at (x, y)."""
        size = width / self.width, height / self.figure.get_figheight()
        axes.set_position((*self.fraction(x, y + height), *size))

    def write(self, x: float, y: float, text: str, room: float, **look) -> None:
        """Write a line with its top at `y`; too long a text gets smaller, then loses its middle."""
        artist = self.figure.text(*self.fraction(x, y), text, va="top", **look)
        if text and self.size(artist)[0] > room:
            artist.set_fontsize(style.SMALL)
        while len(text) > 4 and self.size(artist)[0] > room:
            text = shorten(text, len(text) - 1)
            artist.set_text(text)

    def fraction(self, x: float, y: float) -> tuple[float, float]:
        """Inches from the upper left corner as fractions of the figure."""
        return x / self.width, 1 - y / self.figure.get_figheight()

    def size(self, artist: Artist) -> tuple[float, float]:
        """Width and height of a text or legend."""
        box = artist.get_window_extent(self.renderer)
        return box.width / self.figure.dpi, box.height / self.figure.dpi

    def left_margin(self, axes: Axes) -> float:
        """What the labels of the y axis take."""
        box = axes.yaxis.get_tightbbox(self.renderer)
        return 0.0 if box is None else (axes.bbox.x0 - box.x0) / self.figure.dpi + 0.01

    def bottom_margin(self, axes: Axes) -> float:
        """What the labels of the x axis take."""
        box = axes.xaxis.get_tightbbox(self.renderer)
        return 0.0 if box is None else (axes.bbox.y0 - box.y0) / self.figure.dpi + 0.02

    def legend(self, artists: Sequence[Artist]) -> Legend | None:
        """A legend in as many columns as fit."""
        if not artists:
            return None
        labels = [shorten(str(artist.get_label()), LONGEST) for artist in artists]
        for columns in range(len(artists), 0, -1):
            key = self.figure.legend(artists, labels, loc="upper left", ncols=columns)
            if columns == 1 or self.size(key)[0] <= self.width - 2 * EDGE:
                return key
            key.remove()
        return None
