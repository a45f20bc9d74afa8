"""config/sources.tsv says of everything that the grids download where it is from."""

import csv
import re

import pytest
import yaml

from quantrag.tasks.lamp_files import lamp_url
from quantrag.tasks.lamp_layouts import LAYOUTS


@pytest.fixture(scope="module")
def rows(root):
    with open(root / "config" / "sources.tsv", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def sources(node):
    """Every entry with a repository, at any depth."""
    if isinstance(node, dict):
        if "repo" in node:
            yield node["repo"], node["revision"]
        for value in node.values():
            yield from sources(value)


def test_every_repository_of_the_grids_is_listed_at_its_revision_and_no_other(root, rows):
    used = {
        source
        for name in ("config.yaml", "2026.yaml")
        for source in sources(yaml.safe_load((root / "config" / name).read_text()))
    }
    listed = {(r["location"], r["revision"]) for r in rows if r["kind"] != "dataset"}
    assert used == listed


def test_every_file_of_lamp_is_listed(rows):
    patterns = [
        re.escape(r["location"])
        .replace(r"\{split\}", "(train|dev|test)")
        .replace(r"\{questions,outputs\}", "(questions|outputs)")
        for r in rows
        if r["kind"] == "dataset"
    ]
    for lamp in LAYOUTS:
        for users in ("user", "time"):
            url = lamp_url(lamp, "dev", "questions", users)
            assert sum(bool(re.fullmatch(pattern, url)) for pattern in patterns) == 1, url


def test_what_is_stated_has_the_right_form(rows):
    for row in rows:
        assert None not in row.values(), row
        assert row["access"], row
        assert row["licence"] or row["location"] == "LaMP_6", row
        assert re.fullmatch("([0-9a-f]{64})?", row["sha256"]), row
        assert row["revision"] or row["kind"] == "dataset", row


def test_what_is_not_pinned_says_so(rows):
    for row in rows:
        if row["kind"] != "dataset" and not re.fullmatch("[0-9a-f]{40}", row["revision"]):
            assert re.search("commit unknown to us|seen as commit", row["note"]), row
