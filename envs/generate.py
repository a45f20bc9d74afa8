"""Write the conda environments and the demo's locks from packages.toml.

`python envs/generate.py yaml` writes envs/*.yaml; nothing is downloaded.
`python envs/generate.py lock` resolves envs/demo.lock, envs/dev.lock and the locks of environments
that have one of their own with pip. Versions that are locked already stay unless a requirement
forbids it; with `--upgrade` all are chosen anew.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parent
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
GENERATED = "# Written by `make {target}` from packages.toml: change that file."


def load(path: Path = FOLDER / "packages.toml") -> dict:
    """The content of packages.toml."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def pin(packages: dict, name: str, own: dict | None = None) -> str:
    """`name==version`; a build such as `torch+cpu` carries its suffix over to the version.

    `own` are the versions of an environment that differ from those of all others.
    """
    name, plus, build = name.partition("+")
    return f"{name}=={(own or {}).get(name) or packages['pip'][name]}{plus}{build}"


def environment_yaml(packages: dict, name: str) -> str:
    """A conda environment; its PyPI pins stand inline because Snakemake copies the file."""
    environment = packages["environment"][name]
    lines = [
        f"# {environment['title']}.",
        GENERATED.format(target="envs"),
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
    ]
    conda = ["python", *environment.get("conda", []), "pip"]
    lines += [f"  - {package}={packages['conda'][package]}" for package in conda]
    lines += ["  - pip:"]
    if any(package.endswith("+cpu") for package in environment["pip"]):
        lines += [f"      - --extra-index-url {CPU_INDEX}"]
    own = environment.get("versions")
    lines += [f"      - {pin(packages, package, own)}" for package in environment["pip"]]
    return "\n".join(lines) + "\n"


def requirements(packages: dict, group: str) -> list[str]:
    """Pins of what a group (`demo`, `dev` or an environment) asks for itself, sorted."""
    if group in packages["environment"]:
        instead = packages["demo"]["instead"]
        environment = packages["environment"][group]
        own = environment.get("versions")
        return sorted(pin(packages, instead.get(name, name), own) for name in environment["pip"])
    names = set(packages[group]["pip"])
    if group == "demo":
        instead = packages["demo"]["instead"]
        for environment in packages["environment"].values():
            if environment.get("apart"):
                continue
            names |= {instead.get(name, name) for name in environment["pip"]}
        names -= set(packages["demo"]["without"])
    return sorted(pin(packages, name) for name in names)


def read_lock(path: Path) -> dict[str, str]:
    """Versions by canonical name; an absent file locks nothing."""
    if not path.exists():
        return {}
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): version for name, version in pairs}


def resolve(wanted: list[str], constraints: dict[str, str], *options: str) -> dict[str, dict]:
    """What pip would install for these requirements, by canonical name; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        report, limits = Path(folder, "report.json"), Path(folder, "constraints.txt")
        limits.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()))
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        # pip asks an index for every package: PyTorch's only where the usual ones lack its builds.
        builds = [line for line in wanted if line.endswith("+cpu")]
        check = [*command, "--quiet", "--no-deps", *builds]
        if builds and subprocess.run(check).returncode != 0:
            command += ["--extra-index-url", CPU_INDEX]
        command += ["--report", report, "--constraint", limits, *options]
        subprocess.run([*command, *wanted], check=True)
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {canonicalize_name(item["metadata"]["name"]): item for item in items}


def needed(wanted: list[str], resolved: dict[str, dict], without: set[str]) -> set[str]:
    """Canonical names that the requirements reach without going through those left out."""
    reached: set[tuple[str, str]] = set()
    todo = [Requirement(line) for line in wanted]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if name in without or (name, extra) in reached:
                continue
            reached.add((name, extra))
            for line in resolved[name]["metadata"].get("requires_dist", []):
                asked = Requirement(line)
                if asked.marker is None or asked.marker.evaluate({"extra": extra}):
                    todo.append(asked)
    return {name for name, _ in reached}


def lock_text(group: str, names: set[str], resolved: dict[str, dict]) -> str:
    """A lock as pip reads it, sorted by name, with what has no wheel marked."""
    lines = [f"# The {group} environment, for Python 3.11 on Linux x86_64.", GENERATED]
    lines[1] = lines[1].format(target="lock")
    for name in sorted(names):
        wheel = resolved[name]["download_info"]["url"].endswith(".whl")
        version = resolved[name]["metadata"]["version"]
        lines.append(f"{name}=={version}" + ("" if wheel else "  # built from source"))
    return "\n".join(lines) + "\n"


def write_yaml(packages: dict) -> None:
    """Write envs/*.yaml."""
    for name in packages["environment"]:
        (FOLDER / f"{name}.yaml").write_text(environment_yaml(packages, name), encoding="utf-8")


def write_locks(packages: dict, *, upgrade: bool) -> None:
    """Write envs/demo.lock, and envs/dev.lock with what comes on top of it."""
    demo, dev = (requirements(packages, group) for group in ("demo", "dev"))
    direct = {Requirement(line).name for line in (*demo, *dev)}
    locked = {} if upgrade else read_lock(FOLDER / "demo.lock") | read_lock(FOLDER / "dev.lock")
    despite = {line for line in dev if Requirement(line).name in packages["dev"]["despite"]}
    dev = [line for line in dev if line not in despite]
    resolved = resolve([*demo, *dev], {k: v for k, v in locked.items() if k not in direct})
    alone = resolve(sorted(despite), {}, "--no-deps")
    without = {*packages["demo"]["without"], "pip", "setuptools"}
    in_demo = needed(demo, resolved, without)
    in_dev = needed(dev, resolved, without) - in_demo | set(alone)
    resolved |= alone
    for name, environment in packages["environment"].items():
        if environment.get("lock"):
            write_lock_apart(packages, name, upgrade=upgrade)
    (FOLDER / "demo.lock").write_text(lock_text("demo", in_demo, resolved), encoding="utf-8")
    (FOLDER / "dev.lock").write_text(lock_text("development", in_dev, resolved), encoding="utf-8")


def write_lock_apart(packages: dict, name: str, *, upgrade: bool) -> None:
    """Write the lock of an environment that shares nothing with the demo's."""
    path, wanted = FOLDER / f"{name}.lock", requirements(packages, name)
    direct = {canonicalize_name(Requirement(line).name) for line in wanted}
    locked = {} if upgrade else read_lock(path)
    resolved = resolve(wanted, {k: v for k, v in locked.items() if k not in direct})
    names = needed(wanted, resolved, {"pip", "setuptools"})
    path.write_text(lock_text(name, names, resolved), encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["yaml", "lock"])
    parser.add_argument("--upgrade", action="store_true", help="choose all versions anew")
    arguments = parser.parse_args()
    if arguments.what == "yaml":
        write_yaml(load())
    else:
        write_locks(load(), upgrade=arguments.upgrade)


if __name__ == "__main__":
    main()
