"""`config/published.yaml`: values from publications that are set beside ours."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from quantrag.config.files import display, read_mapping
from quantrag.config.messages import choices, dotted, first_mistake
from quantrag.errors import UserError
from quantrag.scoring.metrics import METRICS
from quantrag.section import K, Line, Mistake, Number, Section, shown

#: What tells one cell's value from another's.
KEY = ("task", "model", "precision", "retriever", "k", "metric")


def _known_metric(name: str) -> str:
    if name not in METRICS:
        raise Mistake(f"unknown metric {shown(name)}" + choices(name, METRICS))
    return name


class PublishedValue(Section):
    """One published value; it is left out where its cell isn't in the experiment's grid."""

    task: Line = Field(description="Name of the task in the config.")
    model: Line = Field(description="Name of the model in the config.")
    precision: Line = Field(description="Name of the precision in the config.")
    retriever: Line = Field(description="Name of the retriever in the config; `none` for k = 0.")
    k: K = Field(description="Value of k as in the config.")
    metric: Annotated[Line, AfterValidator(_known_metric)] = Field(
        description="The metric as in `scores.csv`."
    )
    value: Number = Field(
        description="The published value, in the unit of `scores.csv` (ROUGE from 0 to 1)."
    )
    tolerance: Number = Field(
        ge=0,
        description="Largest difference that still counts as OK; twice as much is OKish.",
    )
    source: Line = Field(description="Where the value was seen, with table or figure.")


class PublishedValues(Section):
    """Values from publications, to be printed beside ours (`config/published.yaml`)."""

    results: list[PublishedValue] = Field(description="The published values.")


def load_published(path: str | Path) -> list[dict[str, Any]]:
    """Read and check a file of published values; k becomes text, as everywhere in the data.

    Raises:
        UserError: the first thing that isn't allowed, or a value that is given twice.
    """
    content = read_mapping(path)
    try:
        values = PublishedValues.model_validate(content).results
    except ValidationError as error:
        where, message = first_mistake(error, PublishedValues)
        raise UserError(f"{display(path)}: {dotted(where)}: {message}") from None
    entries = [value.model_dump() for value in values]
    seen: dict[tuple[str, ...], int] = {}
    for number, entry in enumerate(entries):
        key = tuple(entry[name] for name in KEY)
        if key in seen:
            raise UserError(
                f"{display(path)}: results.{number}: the same cell as results.{seen[key]}"
            )
        seen[key] = number
    return entries
