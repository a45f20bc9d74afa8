# figures.smk: figures and publication tables, only from the tables (redrawn without a GPU).
# needs: <results>/tables/*.csv
# produces: <results>/figures/{figure}.pdf, .svg, .png and <results>/tables/{publication}.tex, .md, .html

from quantrag.plan.wildcards import one_of
from quantrag.presentation.catalogue import FIGURES, PUBLICATION_TABLES


wildcard_constraints:
    figure=one_of(FIGURES),
    publication=one_of(PUBLICATION_TABLES),


rule figures:
    """Draw one figure from the tables, in every format."""
    input:
        unpack(lambda wildcards: plan.products.tables_of_figure(wildcards.figure)),
    output:
        pdf="<results>/figures/{figure}.pdf",
        svg=report(
            "<results>/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda wildcards: plan.products.figure_label(wildcards.figure),
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
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        confidence=config["statistics"]["confidence"],
        caption=lambda wildcards: plan.products.figure_caption(wildcards.figure),
        code=lambda wildcards: plan.code("draw_figure.py", FIGURES[wildcards.figure].source_file),
    script:
        "../scripts/draw_figure.py"


rule write_tables:
    """Write one publication table as LaTeX, Markdown and HTML."""
    input:
        unpack(lambda wildcards: plan.products.tables_of_publication(wildcards.publication)),
    output:
        latex="<results>/tables/{publication}.tex",
        markdown="<results>/tables/{publication}.md",
        html=report(
            "<results>/tables/{publication}.html",
            caption="../report/publication.rst",
            category="Tables",
            labels=lambda wildcards: plan.products.publication_label(wildcards.publication),
        ),
    log:
        "<logs>/write_tables/{publication}.log",
    benchmark:
        "<benchmarks>/write_tables/{publication}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        confidence=config["statistics"]["confidence"],
        margin=config["statistics"]["margin"],
        power=config["statistics"]["power"],
        caption=lambda wildcards: PUBLICATION_TABLES[wildcards.publication].caption,
        code=lambda wildcards: plan.code(
            "write_tables.py", PUBLICATION_TABLES[wildcards.publication].source_file
        ),
    script:
        "../scripts/write_tables.py"
