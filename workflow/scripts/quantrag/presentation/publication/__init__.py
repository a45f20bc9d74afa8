"""Publication tables: what each shows, a module for each, and their typesetting."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from quantrag.presentation.criteria import Criteria
    from quantrag.presentation.publication.typesetting import PublicationTable


def make_tables(
    name: str, tables: Mapping[str, "pd.DataFrame"], criteria: "Criteria"
) -> "list[PublicationTable]":
    """The parts of a publication table.

    Args:
        name: one of `quantrag.presentation.catalogue.PUBLICATION_TABLES`.
        tables: the tables that it is made from, by name.
        criteria: of the statistics, for the captions.
    """
    return import_module(f"{__name__}.{name}_table").make(tables, criteria)
