"""A small `conda` for machines without one: what Snakemake asks of it, and a channel.

Solving and installing are the real thing (rattler, which pixi and others build on), and so are the
packages from PyPI. The channel in place of conda-forge is not: its `python` is a link to the
interpreter that runs the tests, and its `pip` the one that this interpreter carries.

`python conda_stand_in.py CHANNEL ROOT ARGUMENTS...` is the command; `install` puts it on a path.
"""

import asyncio
import ensurepip
import io
import json
import shlex
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import rattler
import rattler.index
import yaml

PLATFORM = "linux-64"
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/python{MINOR}/site-packages"


def install(folder: Path, versions: dict[str, str]) -> Path:
    """Make a channel of `python` and `pip` in these versions, and a `conda`; gives its `bin`."""
    channel = folder / "channel"
    home = Path(sys._base_executable).parent
    _package(
        channel,
        "python",
        versions["python"],
        files={"pyvenv.cfg": f"home = {home}\ninclude-system-site-packages = false\n".encode()},
        links={
            f"bin/{name}": sys._base_executable for name in ("python", "python3", f"python{MINOR}")
        },
    )
    [wheel] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        modules = {
            f"{SITE}/{name}": archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/")
        }
    _package(channel, "pip", versions["pip"], files=modules, depends=["python"])
    asyncio.run(rattler.index.index_fs(channel))
    bin_folder = folder / "conda" / "bin"
    bin_folder.mkdir(parents=True)
    command = shlex.join([sys.executable, str(Path(__file__)), str(channel), str(folder / "conda")])
    (bin_folder / "conda").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (bin_folder / "conda").chmod(0o755)
    (bin_folder / "activate").write_text(
        f'echo "$1" >> {shlex.quote(str(folder / "activated"))}\n'
        'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'
    )
    return bin_folder


def _package(
    channel: Path,
    name: str,
    version: str,
    files: dict[str, bytes],
    links: dict[str, str] | None = None,
    depends: list[str] | None = None,
) -> None:
    """Write one package in conda's first format, a tar archive with its metadata in `info/`."""
    index = {
        "name": name,
        "version": version,
        "build": "0",
        "build_number": 0,
        "depends": depends or [],
        "subdir": PLATFORM,
    }
    paths = [{"_path": path, "path_type": "hardlink"} for path in files]
    paths += [{"_path": path, "path_type": "softlink"} for path in links or {}]
    files = {
        "info/index.json": json.dumps(index).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
        **files,
    }
    (channel / PLATFORM).mkdir(parents=True, exist_ok=True)
    (channel / "noarch").mkdir(exist_ok=True)
    with tarfile.open(channel / PLATFORM / f"{name}-{version}-0.tar.bz2", "w:bz2") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
        for path, target in (links or {}).items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)


async def create(channel: Path, root: Path, file: Path, prefix: Path) -> None:
    """`conda env create`: conda's packages from the channel, then those for pip."""
    content = yaml.safe_load(file.read_text())
    if content["channels"] != ["conda-forge", "nodefaults"]:
        sys.exit(f"channels {content['channels']}: only conda-forge is stood in for")
    specs = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    records = await rattler.solve([rattler.Channel(channel.as_uri())], specs, platforms=[PLATFORM])
    await rattler.install(records, prefix, cache_dir=root / "packages", show_progress=False)
    wanted = [line for e in content["dependencies"] if isinstance(e, dict) for line in e["pip"]]
    listing = prefix / "requirements.txt"
    listing.write_text("".join(f"{line}\n" for line in wanted))
    command = [
        prefix / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--requirement",
        listing,
    ]
    subprocess.run(command, check=True)


def main() -> None:
    """Command line of the few subcommands that Snakemake uses."""
    channel, root, arguments = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    match arguments:
        case ["--version"]:
            print("conda 25.9.1")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": str(root), "platform": PLATFORM}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", *options]:
            file = Path(options[options.index("--file") + 1])
            prefix = Path(options[options.index("--prefix") + 1])
            asyncio.run(create(channel, root, file, prefix))
        case ["clean", *_]:
            pass  # the packages' cache is two files
        case _:
            sys.exit(f"conda {shlex.join(arguments)}: not stood in for")


if __name__ == "__main__":
    main()
