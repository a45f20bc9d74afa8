"""Write one publication table as LaTeX, Markdown and HTML."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.presentation.catalogue import PUBLICATION_TABLES
    from quantrag.presentation.criteria import Criteria
    from quantrag.presentation.data import read_tables
    from quantrag.presentation.publication import make_tables
    from quantrag.presentation.publication.typesetting import to_html, to_latex, to_markdown
    from quantrag.tables import write_text

    params = snakemake.params
    criteria = Criteria(params.confidence, params.margin, params.power)
    name = snakemake.wildcards.publication
    tables = make_tables(name, read_tables(dict(snakemake.input.items())), criteria)
    for path, text in (
        (snakemake.output.latex, to_latex(tables)),
        (snakemake.output.markdown, to_markdown(tables)),
        (snakemake.output.html, to_html(tables, PUBLICATION_TABLES[name].title)),
    ):
        write_text(text, path)
