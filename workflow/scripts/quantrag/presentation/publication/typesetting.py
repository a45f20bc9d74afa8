"""Publication tables: one description, written as LaTeX (booktabs), Markdown or HTML."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}",
    "±": r"\ensuremath{\pm}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~#])")
_SIZES = ((86, r"\small"), (96, r"\footnotesize\setlength{\tabcolsep}{4pt}"))
_SMALLEST = r"\scriptsize\setlength{\tabcolsep}{2.5pt}"
_SUPERSCRIPTS = str.maketrans("+-=", "⁺⁻⁼")


@dataclass(frozen=True)
class Entry:
    """A value: its text, whether it is the best of its kind, and its mark (+, -, = or none)."""

    text: str
    best: bool = False
    mark: str = ""


@dataclass(frozen=True)
class RowGroup:
    """Rows under a heading of their own (empty: none); a rule separates groups."""

    heading: str
    rows: list[list[Entry]]


@dataclass(frozen=True)
class PublicationTable:
    """A table as it is printed.

    Attributes:
        label: what a text refers to it by; lower-case letters, digits and dashes.
        caption: plain text.
        columns: their headings.
        names: how many columns, from the left, are names; the others are values, set to the right.
        groups: the rows.
        spanner: a heading over all value columns, or empty.
    """

    label: str
    caption: str
    columns: list[str]
    names: int
    groups: list[RowGroup] = field(default_factory=list)
    spanner: str = ""


def _rows(table: PublicationTable, group: RowGroup) -> list[list[Entry]]:
    """A group's rows; a first name that the row above has already is left out."""
    if table.names < 2:
        return group.rows
    before = [None, *(row[0] for row in group.rows)]
    return [
        [Entry("") if row[0] == above else row[0], *row[1:]]
        for above, row in zip(before, group.rows, strict=False)
    ]


def slug(text: str) -> str:
    """`text` as part of a label."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def escape_latex(text: str) -> str:
    """`text` so that LaTeX prints it as it stands."""
    return "".join(_LATEX.get(character, character) for character in text)


def escape_markdown(text: str) -> str:
    """`text` so that Markdown prints it as it stands, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def to_latex(tables: Sequence[PublicationTable]) -> str:
    """Floats for a document that loads the package booktabs."""
    header = "% Needs \\usepackage{booktabs}; made by quantrag from tables/*.csv.\n"
    return header + "\n".join(map(_latex, tables))


def _latex(table: PublicationTable) -> str:
    values = len(table.columns) - table.names
    lines = [
        r"\begin{table*}",
        rf"\centering{_size(table)}",
        rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\label{{tab:{table.label}}}",
        rf"\begin{{tabular}}{{@{{}}{'l' * table.names}{'r' * values}@{{}}}}",
        r"\toprule",
    ]
    if table.spanner:
        first = table.names + 1
        span = rf"\multicolumn{{{values}}}{{c}}{{{escape_latex(table.spanner)}}}"
        lines.append("& " * table.names + span + r" \\")
        lines.append(rf"\cmidrule(l){{{first}-{len(table.columns)}}}")
    lines.append(" & ".join(map(escape_latex, table.columns)) + r" \\")
    for group in table.groups:
        lines.append(r"\midrule")
        if group.heading:
            span = rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}"
            lines.append(rf"{span}{{\textit{{{escape_latex(group.heading)}}}}} \\")
        lines += [" & ".join(map(_latex_entry, row)) + r" \\" for row in _rows(table, group)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])


def _size(table: PublicationTable) -> str:
    """The type size at which a table of so many characters fits a page 17 cm wide."""
    lines = [table.columns, *([c.text for c in row] for g in table.groups for row in g.rows)]
    width = sum(max(map(len, column)) + 2 for column in zip(*lines, strict=True))
    return next((size for most, size in _SIZES if width <= most), _SMALLEST)


def _latex_entry(entry: Entry) -> str:
    text = escape_latex(entry.text)
    text = rf"\textbf{{{text}}}" if entry.best else text
    # A mark takes no width, so that the digits of a column stay in line.
    return rf"{text}\rlap{{$^{{{entry.mark}}}$}}" if entry.mark else text


def to_markdown(tables: Sequence[PublicationTable]) -> str:
    """Tables as GitHub and Pandoc read them; headings of groups are rows in italics."""
    return "\n".join(map(_markdown, tables))


def _markdown(table: PublicationTable) -> str:
    rule = ["---"] * table.names + ["---:"] * (len(table.columns) - table.names)
    header = list(map(escape_markdown, table.columns))
    if table.spanner and len(header) > table.names:
        spanner = escape_markdown(table.spanner)
        header[table.names] = f"{spanner} = {header[table.names]}"
    lines = [_row(header), _row(rule)]
    for group in table.groups:
        if group.heading:
            heading = f"*{escape_markdown(group.heading)}*"
            lines.append(_row([heading] + [""] * (len(header) - 1)))
        lines += [_row(map(_markdown_entry, row)) for row in _rows(table, group)]
    return "\n".join([escape_markdown(table.caption), "", *lines, ""])


def _row(texts) -> str:
    return "| " + " | ".join(texts) + " |"


def _markdown_entry(entry: Entry) -> str:
    text = escape_markdown(entry.text)
    return (f"**{text}**" if entry.best and text else text) + entry.mark.translate(_SUPERSCRIPTS)


def to_html(tables: Sequence[PublicationTable], title: str) -> str:
    """A page of its own, for the workflow's report."""
    body = "\n".join(map(_html, tables))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title><style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #111; background: #fff }}
table {{ border-collapse: collapse; margin: 0 0 2.5rem; border-block: 2px solid }}
caption {{ text-align: left; padding-bottom: .6rem; max-width: 60rem }}
td, th {{ padding: .15rem .6rem; text-align: left; font-variant-numeric: tabular-nums }}
td.value, th.value {{ text-align: right }}
thead, tbody + tbody {{ border-top: 1px solid }}
thead + tbody {{ border-top: 1px solid }}
</style></head><body>
{body}
</body></html>
"""


def _html(table: PublicationTable) -> str:
    classes = [""] * table.names + [' class="value"'] * (len(table.columns) - table.names)
    lines = [f"<table><caption>{html.escape(table.caption)}</caption><thead>"]
    if table.spanner:
        span = f'<th colspan="{len(table.columns) - table.names}" style="text-align: center">'
        empty = f'<td colspan="{table.names}"></td>' if table.names else ""
        lines.append(f"<tr>{empty}{span}{html.escape(table.spanner)}</th></tr>")
    cells = zip(classes, table.columns, strict=True)
    lines.append(
        "<tr>" + "".join(f"<th{c}>{html.escape(t)}</th>" for c, t in cells) + "</tr></thead>"
    )
    for group in table.groups:
        lines.append("<tbody>")
        if group.heading:
            heading = html.escape(group.heading)
            lines.append(f'<tr><th colspan="{len(table.columns)}">{heading}</th></tr>')
        for row in _rows(table, group):
            cells = zip(classes, map(_html_entry, row), strict=True)
            lines.append("<tr>" + "".join(f"<td{c}>{t}</td>" for c, t in cells) + "</tr>")
        lines.append("</tbody>")
    return "\n".join([*lines, "</table>"])


def _html_entry(entry: Entry) -> str:
    text = html.escape(entry.text)
    text = f"<b>{text}</b>" if entry.best else text
    return text + (f"<sup>{html.escape(entry.mark)}</sup>" if entry.mark else "")
