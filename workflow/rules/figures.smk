# figures.smk: figures and tables for print, from the tables alone (redrawn without a GPU).
# needs: <results>/tables/*.csv
# leaves: <results>/figures/{figure}.pdf, .svg, .png and <results>/tables/{publication}.tex, .md, .html

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


def wanted(names):
    """Those of the figures or tables for print that this configuration can have."""
    # No rule writes the table of the checkpoints yet.
    without = {"checkpoints"}
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


wildcard_constraints:
    figure=one_of(FIGURES),
    publication=one_of(PUBLICATIONS),


rule figures:
    """Draw one figure from the tables, in every format."""
    input:
        unpack(tables_of_figure),
    output:
        pdf="<results>/figures/{figure}.pdf",
        svg=report(
            "<results>/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels=figure_label,
        ),
        png="<results>/figures/{figure}.png",
    log:
        "<logs>/figures/{figure}.log",
    benchmark:
        "<benchmarks>/figures/{figure}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        confidence=config["statistics"]["confidence"],
        code=code("draw_figure.py"),
    script:
        "../scripts/draw_figure.py"


rule write_tables:
    """Write one table for print as LaTeX, Markdown and HTML."""
    input:
        unpack(tables_of_publication),
    output:
        latex="<results>/tables/{publication}.tex",
        markdown="<results>/tables/{publication}.md",
        html=report(
            "<results>/tables/{publication}.html",
            caption="../report/publication.rst",
            category="Tables",
            labels=publication_label,
        ),
    log:
        "<logs>/write_tables/{publication}.log",
    benchmark:
        "<benchmarks>/write_tables/{publication}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        title=publication_title,
        confidence=config["statistics"]["confidence"],
        margin=config["statistics"]["margin"],
        code=code("write_tables.py"),
    script:
        "../scripts/write_tables.py"
