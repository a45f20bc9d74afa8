# The tables, figures and publication tables of an experiment, and what they are made from.

from quantrag.presentation.catalogue import (
    FIGURES,
    PUBLICATION_TABLES,
    Extent,
    chart_files,
    figures_of,
    publication_tables_of,
    tables_of,
)

EXTENT = Extent(
    precisions=len(config["precisions"]),
    retrievers=len(config["retrievers"]),
    quantizes=any(precision.made_here for precision in PRECISIONS.values()),
)


def table_files():
    """Every table of the analysis."""
    return expand("<results>/tables/{table}.csv", table=tables_of(EXTENT))


def figure_files():
    """Every figure of this configuration, in every format."""
    names, formats = figures_of(EXTENT), ["pdf", "svg", "png"]
    return expand("<results>/figures/{figure}.{format}", figure=names, format=formats)


def publication_files():
    """Every publication table of this configuration, in every format."""
    names, formats = publication_tables_of(EXTENT), ["tex", "md", "html"]
    return expand("<results>/tables/{publication}.{format}", publication=names, format=formats)


def tables_of_figure(wildcards):
    """The tables that a figure is drawn from, by name."""
    return tables_by_name(FIGURES[wildcards.figure])


def tables_of_publication(wildcards):
    """The tables that a publication table is made from, by name."""
    return tables_by_name(PUBLICATION_TABLES[wildcards.publication])


def tables_by_name(entry):
    """The files of the tables of an entry of the catalogue, by the tables' names."""
    return {table: f"<results>/tables/{table}.csv" for table in entry.tables}


def figure_caption(wildcards):
    """What the workflow's report says of a figure."""
    return FIGURES[wildcards.figure].printed_caption(config["statistics"]["confidence"])


def figure_label(wildcards):
    """How the workflow's report lists a figure."""
    return {"Figure": FIGURES[wildcards.figure].title}


def publication_label(wildcards):
    """How the workflow's report lists a publication table."""
    return {"Table": PUBLICATION_TABLES[wildcards.publication].title}
