"""The commit in the provenance is this project's, wherever the project lies."""

import shutil
import subprocess
from pathlib import Path

import pytest

from quantrag.runtime import commit
from quantrag.runtime.commit import git_commit

SOURCE = Path(commit.__file__)
PLACE = "workflow/scripts/quantrag/runtime"


def git(*arguments, cwd):
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "QUANTRAG_COMMIT"):
        monkeypatch.delenv(name, raising=False)


def repository(folder: Path) -> Path:
    """A repository with one commit of what is in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    git("init", "-q", cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=folder)
    return folder


def project(folder: Path) -> Path:
    """What of the project decides its commit."""
    (folder / PLACE).mkdir(parents=True)
    (folder / "Snakefile").write_text("")
    shutil.copy(SOURCE.with_name("archive_commit.txt"), folder / PLACE)
    shutil.copy(SOURCE.parents[4] / ".gitattributes", folder)
    return folder


def head(folder: Path) -> str:
    return git("rev-parse", "HEAD", cwd=folder)


def test_a_checkout_has_its_own_commit(tmp_path):
    root = repository(project(tmp_path / "quantrag"))
    assert git_commit(root / PLACE) == git_commit(root) == head(root)
    (root / "Snakefile").write_text("changed")
    assert git_commit(root / PLACE) == f"{head(root)}-dirty"


def test_a_folder_inside_another_repository_has_no_commit(tmp_path):
    project(tmp_path / "other" / "quantrag")
    other = repository(tmp_path / "other")
    # Even where the other repository tracks it.
    assert git_commit(other / "quantrag" / PLACE) is None


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE"])
def test_gits_variables_of_another_repository_change_nothing(tmp_path, monkeypatch, variable):
    root = repository(project(tmp_path / "quantrag"))
    other = repository(tmp_path / "other")
    own = head(root)
    monkeypatch.setenv(variable, str(other / ".git" if variable == "GIT_DIR" else other))
    assert git_commit(root / PLACE) == own


def test_an_archive_knows_its_commit_inside_another_repository(tmp_path):
    root = repository(project(tmp_path / "quantrag"))
    archive = tmp_path / "quantrag.tar"
    git("archive", "-o", str(archive), "HEAD", cwd=root)
    inside = repository(tmp_path / "other") / "quantrag"
    shutil.unpack_archive(archive, inside)
    assert git_commit(inside / PLACE) == head(root)


def test_the_container_is_told_its_commit(tmp_path, monkeypatch):
    root = project(tmp_path / "quantrag")
    monkeypatch.setenv("QUANTRAG_COMMIT", "")
    assert git_commit(root / PLACE) is None
    monkeypatch.setenv("QUANTRAG_COMMIT", "a" * 40)
    assert git_commit(root / PLACE) == "a" * 40
    monkeypatch.setenv("QUANTRAG_COMMIT", "$(git rev-parse HEAD)")
    assert git_commit(root / PLACE) is None
    recipe = (SOURCE.parents[4] / "Dockerfile").read_text()
    assert "ARG COMMIT" in recipe
    assert "ENV QUANTRAG_COMMIT=$COMMIT" in recipe
