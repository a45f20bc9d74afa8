# figures.smk: figures and publication tables, from the tables alone (redrawn without a GPU).
# needs: <results>/tables/*.csv
# leaves: <results>/figures/{figure}.pdf, .svg, .png

# What each figure shows, and the tables that it is drawn from.
FIGURES = {
    "k_sweep": ("Score against k", ["scores", "comparisons"]),
}


def figure_files():
    """Every figure that this configuration gives, in every format."""
    return expand(
        "<results>/figures/{figure}.{format}", figure=FIGURES, format=["pdf", "svg", "png"]
    )


def tables_of_figure(wildcards):
    """The tables that a figure is drawn from, by name."""
    return {table: f"<results>/tables/{table}.csv" for table in FIGURES[wildcards.figure][1]}


wildcard_constraints:
    figure=one_of(FIGURES),


rule draw_figure:
    """Draw one figure from the tables, in every format."""
    input:
        unpack(tables_of_figure),
    output:
        pdf="<results>/figures/{figure}.pdf",
        svg=report(
            "<results>/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda wildcards: {"Figure": FIGURES[wildcards.figure][0]},
        ),
        png="<results>/figures/{figure}.png",
    log:
        "<logs>/draw_figure/{figure}.log",
    benchmark:
        "<benchmarks>/draw_figure/{figure}.tsv"
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
