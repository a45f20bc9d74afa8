# The tables, figures and tables for print of an experiment, and what they are made from.

# What each figure and each table for print is called, and the tables that it is made from.
FIGURES = {
    "k_sweep": ("Score against k", ["scores", "comparisons"]),
    "quantization_gap": ("Difference to the baseline against k", ["scores", "comparisons"]),
    "forest": ("All comparisons", ["comparisons"]),
    "retrievers": ("Retrievers", ["scores", "comparisons", "retrievers"]),
    "flips": ("Changed answers against k", ["comparisons"]),
    "quality_cost": ("Score against cost", ["scores", "comparisons", "costs"]),
    "checkpoints": ("Quantization error by layer", ["checkpoints"]),
}
PUBLICATIONS = {
    "main": ("Main result", ["scores", "comparisons"]),
    "change": ("Relative change", ["comparisons"]),
    "retrievers": ("Agreement of retrievers", ["retrievers"]),
    "costs": ("Costs", ["costs"]),
    "replication": ("Replication", ["replication"]),
}


def table_files():
    """Every table of the analysis."""
    tables = ["scores", "comparisons", "trends", "costs", "checkpoints", "replication"]
    if len(config["retrievers"]) > 1:
        tables.append("retrievers")
    return expand("<results>/tables/{table}.csv", table=tables)


def wanted(names):
    """Those of the figures or tables for print that this configuration can have."""
    without = set()
    if not any(precision.made_here for precision in PRECISIONS.values()):
        without.add("checkpoints")
    if len(config["retrievers"]) < 2:
        without.add("retrievers")
    if len(config["precisions"]) < 2:
        without.update(["quantization_gap", "forest", "flips", "change"])
    return [name for name in names if name not in without]


def figure_files():
    """Every figure of this configuration, in every format."""
    formats = ["pdf", "svg", "png"]
    return expand("<results>/figures/{figure}.{format}", figure=wanted(FIGURES), format=formats)


def publication_files():
    """Every table for print of this configuration, in every format."""
    names, formats = wanted(PUBLICATIONS), ["tex", "md", "html"]
    return expand("<results>/tables/{publication}.{format}", publication=names, format=formats)


def tables_of_figure(wildcards):
    """The tables that a figure is drawn from, by name."""
    return {table: f"<results>/tables/{table}.csv" for table in FIGURES[wildcards.figure][1]}


def tables_of_publication(wildcards):
    """The tables that a table for print is made from, by name."""
    tables = PUBLICATIONS[wildcards.publication][1]
    return {table: f"<results>/tables/{table}.csv" for table in tables}


def figure_label(wildcards):
    """How the workflow's report lists a figure."""
    return {"Figure": FIGURES[wildcards.figure][0]}


def publication_title(wildcards):
    """What a table for print is called."""
    return PUBLICATIONS[wildcards.publication][0]


def publication_label(wildcards):
    """How the workflow's report lists a table for print."""
    return {"Table": publication_title(wildcards)}
