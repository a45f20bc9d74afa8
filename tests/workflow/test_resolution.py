"""The pins of every environment can be installed together, by the index's own metadata.

uv reads only metadata: no wheel is downloaded, CUDA's included. What has no wheel is built as far
as its metadata needs.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

# The oldest C library for which every package with compiled code has a wheel (docs/cluster.md).
PLATFORM = "x86_64-manylinux_2_31"
ENVIRONMENTS = sorted(path.stem for path in Path(__file__).parents[2].glob("envs/*.yaml"))
#: Packages that need a GPU, and the CUDA packages of which they bring some.
FOR_CUDA = {"torch", "vllm", "faiss-gpu"}


def wanted(root: Path, name: str) -> tuple[str, list[str]]:
    """Version of Python and the lines for pip in an environment's file."""
    content = yaml.safe_load((root / "envs" / f"{name}.yaml").read_text())["dependencies"]
    [pip] = [entry["pip"] for entry in content if isinstance(entry, dict)]
    python = next(e for e in content if isinstance(e, str) and e.startswith("python="))
    # Builds for CPUs are on PyTorch's own index, and ask for no more than the others.
    lines = [line.removesuffix("+cpu") for line in pip if not line.startswith("--")]
    return python.partition("=")[2], lines


def resolve(root: Path, name: str) -> subprocess.CompletedProcess:
    python, lines = wanted(root, name)
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-header"]
    command += ["--no-annotate", "--python-version", python, "--python-platform", PLATFORM]
    return subprocess.run(
        command,
        input="\n".join(lines),
        env={**os.environ, "BUILD_CUDA_EXT": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pins_can_be_resolved(root, name):
    done = resolve(root, name)
    if "error sending request" in done.stderr or "dns error" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    found = {Requirement(line).name: line for line in done.stdout.splitlines() if line}
    asked = {Requirement(line).name: line for line in wanted(root, name)[1]}
    assert asked.items() <= found.items()
    assert any(name.startswith("nvidia-") for name in found) or not FOR_CUDA & asked.keys()
