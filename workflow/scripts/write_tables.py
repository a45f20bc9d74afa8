"""Write one table for print as LaTeX, Markdown and HTML."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.presentation.data import read_tables
    from quantrag.presentation.publication.publication_tables import TABLES, Settings
    from quantrag.presentation.publication.typesetting import to_html, to_latex, to_markdown
    from quantrag.tables import atomic_path

    settings = Settings(snakemake.params.confidence, snakemake.params.margin)
    name = snakemake.wildcards.publication
    tables = TABLES[name](read_tables(dict(snakemake.input.items())), settings)
    for path, text in (
        (snakemake.output.latex, to_latex(tables)),
        (snakemake.output.markdown, to_markdown(tables)),
        (snakemake.output.html, to_html(tables, snakemake.params.title)),
    ):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
