"""A hook of MkDocs: the site's pages are the project's Markdown files, wherever they lie.

Each keeps its path, so that a relative link means the same on the site, on GitHub and on disk.
Formulas become MathML, which browsers draw themselves.
"""

import html
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
# Pages, their images, and the files that they link to.
PARTS = (
    "*.md", "CITATION.cff", "LICENSE", "config/*", "docs/*.md", "docs/images/*.png",
    "docs/images/*.svg", "profiles/*.md", "profiles/*/*.yaml", "envs/*.yaml", "envs/*.toml",
    "tests/paper_grid.py",
)  # fmt: skip


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """In place of what is in the folder docs/: the project's files, beside the theme's."""
    for file in list(files.documentation_pages()) + list(files.media_files()):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for path in sorted({path for part in PARTS for path in ROOT.glob(part) if path.is_file()}):
        name = path.relative_to(ROOT).as_posix()
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_content(content: str, **_) -> str:
    """Formulas, which arithmatex has marked, as MathML."""

    def formula(match: re.Match) -> str:
        block = match["tag"] == "div"
        return convert(html.unescape(match["tex"]), display="block" if block else "inline")

    marked = r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>'
    return re.sub(marked, formula, content, flags=re.DOTALL)
