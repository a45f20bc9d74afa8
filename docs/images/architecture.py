"""Draw `architecture.svg`, the picture of docs/architecture.md: rooms and the files between them.

python docs/images/architecture.py
"""

from html import escape
from itertools import pairwise
from pathlib import Path

WIDTH, HEIGHT = 1000, 860
LEFT, CENTRE, RIGHT = 24, 352, 690
BOX, FILES = 46, 34
PITCH = 104
TOP = 128

#: Room, what it does, the files that it produces, what one job is, where it runs.
STREAM = [
    ("tasks", "files to tables", "tasks/{task}/queries, documents.parquet", "a task and split", ""),
    (
        "retrieval",
        "documents to rankings",
        "runs/{task}/{retriever}.parquet",
        "a task and retriever",
        "dense: GPU",
    ),
    (
        "prompts",
        "rankings to token ids",
        "prompts/{model}/{task}/{retriever}.parquet",
        "a model, task and retriever",
        "",
    ),
    (
        "generation",
        "prompts to completions",
        "completions/{model}/{precision}/{task}/{retriever}/k{k}.parquet",
        "a model and precision",
        "GPU",
    ),
    (
        "scoring",
        "completions to scores",
        "scores/{model}/{precision}.parquet",
        "a model and precision",
        "",
    ),
    ("statistics", "scores to comparisons", "tables/*.csv", "a table", ""),
    (
        "presentation",
        "tables to pictures and pages",
        "figures/, tables/*.tex, report.html",
        "a figure, a table, the report",
        "the report: also prompts, answers",
    ),
]

STYLE = """
text { font: 13px 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #1b2733 }
.room { font-weight: bold; font-size: 14px }
.file { font: 12px 'DejaVu Sans Mono', Menlo, monospace }
.note { fill: #5b6875; font-size: 12px }
.head { fill: #5b6875; font-size: 12px; font-weight: bold }
.box { fill: #dcebf7; stroke: #2f6ea5 }
.plan { fill: #efe6f5; stroke: #7b519c }
.data { fill: #fff8e1; stroke: #b58900 }
.line { fill: none; stroke: #5b6875; stroke-width: 1.4 }
"""


class Drawing:
    """SVG elements in the order in which they are painted."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        self.parts.append(
            f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def box(
        self, x: float, y: float, width: float, name: str, what: str, kind: str = "box"
    ) -> None:
        self._rect(x, y, width, BOX, kind, 6)
        self.text(x + width / 2, y + 20, name, "room", "middle")
        self.text(x + width / 2, y + 37, what, "note", "middle")

    def files(self, x: float, y: float, width: float, *lines: str) -> None:
        height = FILES + 15 * (len(lines) - 1)
        self._rect(x, y, width, height, "data", 0)
        for number, line in enumerate(lines):
            self.text(x + width / 2, y + 21 + 15 * number, line, "file", "middle")

    def arrow(self, *points: tuple[float, float], dashed: bool = False) -> None:
        path = " L ".join(f"{x} {y}" for x, y in points)
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self.parts.append(f'<path d="M {path}" class="line" marker-end="url(#head)"{dash}/>')

    def _rect(self, x: float, y: float, width: float, height: float, kind: str, r: int) -> None:
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{r}" class="{kind}"/>'
        )

    def svg(self) -> str:
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
                f' width="{WIDTH}" height="{HEIGHT}">',
                f"<style>{STYLE}</style>",
                '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
                ' markerHeight="7" orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" fill="#5b6875"/>'
                "</marker></defs>",
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
                *self.parts,
                "</svg>",
                "",
            ]
        )


def draw() -> str:
    drawing = Drawing()
    planning(drawing)
    stream(drawing)
    checkpoints(drawing)
    return drawing.svg()


def planning(drawing: Drawing) -> None:
    """The top row: what happens in Snakemake's own process, before any job."""
    y, width = 30, 190
    xs = [LEFT, LEFT + 254, LEFT + 508, LEFT + 762]
    drawing.text(LEFT, 18, "In Snakemake's process, before any job", "head")
    drawing.files(xs[0], y + 6, width, "config/*.yaml")
    drawing.box(xs[1], y, width, "config", "YAML to a typed Experiment", "plan")
    drawing.box(xs[2], y, width, "plan", "paths, parameters, hashes", "plan")
    drawing.box(xs[3], y, width, "Snakefile, rules/*.smk", "the jobs that are due", "plan")
    for left, right in pairwise(xs):
        drawing.arrow((left + width, y + BOX / 2), (right, y + BOX / 2))


def stream(drawing: Drawing) -> None:
    """The middle column: stages and the files between them; on the right what one job is."""
    width = RIGHT - CENTRE - 30
    drawing.text(CENTRE, TOP - 12, "In jobs: a thin script per rule, logic in the room", "head")
    drawing.text(RIGHT + 60, TOP - 12, "One job per", "head")
    for number, (room, what, files, job, device) in enumerate(STREAM):
        y = TOP + number * PITCH
        drawing.box(CENTRE + 50, y, width - 100, room, what)
        drawing.text(RIGHT + 60, y + 20, job)
        drawing.text(RIGHT + 60, y + 37, device, "note")
        file_width = max(width, 7.4 * len(files) + 16)
        x = CENTRE + width / 2
        drawing.files(max(CENTRE, x - file_width / 2), y + BOX + 12, file_width, files)
        drawing.arrow((x, y + BOX), (x, y + BOX + 12))
        if number + 1 < len(STREAM):
            drawing.arrow((x, y + BOX + 12 + FILES), (x, y + PITCH))


def checkpoints(drawing: Drawing) -> None:
    """The left column: where weights come from, and the engines that run them."""
    width, stage_left = 236, CENTRE + 50
    x = LEFT + width / 2
    y = [TOP + number * PITCH for number in range(len(STREAM))]
    drawing.box(LEFT, y[0], width, "checkpoints", "Hub, disk or GGUF to a folder")
    drawing.files(LEFT, y[0] + BOX + 12, width, "resources/checkpoints/", "{model}/original/")
    drawing.arrow((x, y[0] + BOX), (x, y[0] + BOX + 12))
    drawing.box(LEFT, y[1] + 34, width, "quantization", "original to quantized checkpoint")
    drawing.arrow((x, y[0] + BOX + 12 + FILES + 15), (x, y[1] + 34))
    drawing.files(LEFT, y[1] + BOX + 46, width, "checkpoints/{model}/{precision}/")
    drawing.arrow((x, y[1] + 34 + BOX), (x, y[1] + BOX + 46))
    # The original's tokenizer makes the prompts; the train split calibrates.
    side = LEFT + width + 30
    drawing.arrow(
        (LEFT + width, y[0] + BOX + 36),
        (side, y[0] + BOX + 36),
        (side, y[2] + 16),
        (stage_left, y[2] + 16),
    )
    drawing.text(side + 6, y[2] + 8, "tokenizer", "note")
    drawing.arrow(
        (CENTRE, y[0] + BOX + 40),
        (side + 16, y[0] + BOX + 40),
        (side + 16, y[1] + 57),
        (LEFT + width, y[1] + 57),
    )
    drawing.text(side + 22, y[1] + 53, "train split", "note")
    drawing.box(LEFT, y[3], width, "engines", "vllm, transformers, openai")
    drawing.arrow((x, y[1] + BOX + 46 + FILES), (x, y[3]))
    drawing.arrow((LEFT + width, y[3] + 23), (stage_left, y[3] + 23))
    drawing.text(x + 8, y[3] - 40, "or the original itself,", "note")
    drawing.text(x + 8, y[3] - 24, "or a published one", "note")
    # What a killed or changed job has answered already.
    drawing.files(LEFT, y[4] + 6, width, "journals/{model}/", "{precision}.jsonl")
    bend = (side, y[4] + 30), (side, y[3] + 36)
    drawing.arrow((LEFT + width, y[4] + 30), *bend, (stage_left, y[3] + 36), dashed=True)
    drawing.text(LEFT, y[4] + 76, "what is answered already (no output of a rule)", "note")
    legend(drawing, LEFT, y[6] - 22)


def legend(drawing: Drawing, x: float, y: float) -> None:
    rows = [
        ("plan", "a room, in Snakemake's own process"),
        ("box", "a room, in jobs"),
        ("data", "files, most below results/<experiment>/"),
    ]
    for number, (kind, words) in enumerate(rows):
        top = y + 26 * number
        drawing.parts.append(f'<rect x="{x}" y="{top}" width="22" height="16" class="{kind}"/>')
        drawing.text(x + 30, top + 13, words, "note")


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".svg")
    path.write_text(draw(), encoding="utf-8")
    print(path)
