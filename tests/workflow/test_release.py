"""What a release needs: one version, its changes, and what the workflow catalogue reads."""

import re
import shutil
import subprocess
import sys

import yaml


def as_numbers(version):
    return tuple(map(int, version.split(".")))


def test_the_version_is_the_changelogs_newest_or_the_next(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())["version"]
    changelog = (root / "CHANGELOG.md").read_text()
    released = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)[1]
    if newest == "Unreleased":
        assert all(as_numbers(citation) > as_numbers(version) for version in released)
    else:
        assert citation == newest


def test_the_workflow_catalogue_finds_what_it_asks_for(root):
    readme = (root / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert list((root / "workflow" / "rules").glob("*.smk"))
    assert (root / "config" / "README.md").exists()
    usage = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"] == {
        "conda": True,
        "apptainer": False,
        "apptainer+conda": False,
        "report": True,
    }


def test_every_page_of_the_documentation_is_in_the_sites_menu(root):
    """`make docs` fails on a page that isn't there, but not on one that nobody can find."""
    text = (root / "mkdocs.yml").read_text()
    pages = ["README.md", "CONTRIBUTING.md", "config/README.md", "profiles/README.md"]
    pages += [f"docs/{path.name}" for path in (root / "docs").glob("*.md")]
    for page in pages:
        assert f": {page}\n" in text, page


def test_the_site_is_built_and_a_broken_link_fails(root, tmp_path):
    """With the command of `make docs`: a quieter one lets broken links pass."""
    for pattern in ("*.md", "CITATION.cff", "LICENSE", "mkdocs.yml"):
        for path in root.glob(pattern):
            shutil.copy(path, tmp_path)
    for folder in ("docs", "config", "profiles", "envs", "tests"):
        shutil.copytree(root / folder, tmp_path / folder)
    command = re.search(r"\$\(RUN\) (mkdocs .+)", (root / "Makefile").read_text())[1].split()

    def build():
        run = [sys.executable, "-m", *command]
        return subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)

    done = build()
    assert done.returncode == 0, done.stderr
    assert "<math" in (tmp_path / "site" / "docs" / "statistics" / "index.html").read_text()
    page = tmp_path / "docs" / "prompts.md"
    whole = page.read_text()
    for link in ("nowhere.md", "retrieval.md#no-such-heading", "../config/no-such-file.yaml"):
        page.write_text(f"{whole}\n[broken]({link})\n")
        assert build().returncode != 0, link
