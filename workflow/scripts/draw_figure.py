"""Draw one figure from the tables, in every format."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import logging

    from quantrag.presentation.data import read_tables
    from quantrag.presentation.figures import draw_figure, style

    # It tells of every glyph that it puts into a PDF.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    tables = read_tables(dict(snakemake.input.items()))
    with style.context():
        figure = draw_figure(snakemake.wildcards.figure, tables, snakemake.params.confidence)
        for path in snakemake.output:
            style.save(figure, path)
