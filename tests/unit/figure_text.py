"""What a reader would stumble over in a figure: text that is cut, too small, or meets a text."""

import itertools

import numpy as np

EDGE = 0.5  # pixels at 300 dpi by which antialiasing may reach over
SMALLEST = 6.0  # points


def texts(figure):
    """Every visible text of a figure."""
    found = list(figure.texts)
    for legend in figure.legends:
        found += legend.get_texts()
    for axes in figure.axes:
        found += axes.texts
        for axis in (axes.xaxis, axes.yaxis):
            found.append(axis.label)
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks(len(axis.get_majorticklocs()))
            for place, tick in zip(axis.get_majorticklocs(), ticks, strict=True):
                # A tick outside the axis is not drawn.
                if low - 1e-9 <= place <= high + 1e-9:
                    found += [tick.label1, tick.label2]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def problems(figure):
    """Descriptions of what is wrong with a figure's text and with lines that leave their panel."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    shown = texts(figure)
    boxes = np.array([text.get_window_extent(renderer).extents for text in shown])
    width, height = figure.bbox.width, figure.bbox.height
    found = [f"too small: {t.get_text()!r}" for t in shown if t.get_fontsize() < SMALLEST]
    cut = (boxes[:, :2] < -EDGE).any(axis=1) | (boxes[:, 2] > width + EDGE)
    cut |= boxes[:, 3] > height + EDGE
    found += [f"cut: {shown[i].get_text()!r} {boxes[i]}" for i in np.flatnonzero(cut)]
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    meet = ((low < high.transpose(1, 0, 2) - EDGE) & (low.transpose(1, 0, 2) < high - EDGE)).all(2)
    for i, j in np.argwhere(np.triu(meet, 1)):
        found.append(f"meet: {shown[i].get_text()!r} and {shown[j].get_text()!r}")
    return found + list(_outside(figure)) + list(_panels_that_meet(figure, shown, boxes))


def _outside(figure):
    for axes in figure.axes:
        low, high = sorted(axes.get_ylim())
        left, right = sorted(axes.get_xlim())
        for line in axes.lines:
            if line.get_transform() != axes.transData:
                continue  # a line across the panel
            x, y = np.asarray(line.get_data(), dtype=float)
            for values, first, last in ((x, left, right), (y, low, high)):
                values = values[~np.isnan(values)]
                if len(values) and not first <= values.min() <= values.max() <= last:
                    yield f"a line leaves its panel: {values.min()}..{values.max()}"


def _panels_that_meet(figure, shown, boxes):
    panels = [axes.bbox.extents for axes in figure.axes]
    for a, b in itertools.combinations(panels, 2):
        if (np.maximum(a[:2], b[:2]) < np.minimum(a[2:], b[2:]) - EDGE).all():
            yield "two panels meet"
    inner = {id(text) for axes in figure.axes for text in axes.texts}
    for text, box in zip(shown, boxes, strict=True):
        for panel in panels:
            into = (np.maximum(box[:2], panel[:2]) < np.minimum(box[2:], panel[2:]) - 3).all()
            if into and id(text) not in inner and text.get_weight() != "bold":
                yield f"in a panel: {text.get_text()!r}"
