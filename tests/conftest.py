"""Fixtures of all tests."""

from pathlib import Path

import pytest

from running import copy_project


@pytest.fixture(scope="session")
def root(pytestconfig) -> Path:
    """The project's folder."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def project(root, tmp_path_factory) -> Path:
    """A copy of the project without results, in a path with a space."""
    return copy_project(root, tmp_path_factory.mktemp("a space") / "project")
