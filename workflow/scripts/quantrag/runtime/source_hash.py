"""Content hashes of code, so that an edit reruns the stages that use it and a checkout reruns none.

Snakemake's own `code` trigger sees a script but not the modules that the script imports, and its
mtimes change with every checkout. Rules therefore carry this hash as a parameter.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path


@functools.cache
def imported_modules(source: str, package: str = "quantrag") -> frozenset[str]:
    """Dotted names inside `package` that `source` may import, at any depth of nesting.

    `from quantrag.a import b` gives both `quantrag.a` and `quantrag.a.b`, since only the file
    system tells whether `b` is a module. Cached, since most rules share most modules.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(n for n in names if n == package or n.startswith(f"{package}."))


def source_files(files: Iterable[Path], root: Path) -> list[Path]:
    """Python files and every file of the package under `root` that they import, directly or not.

    Only `import` statements are followed: a module that is imported by name has to be among the
    files.

    Args:
        files: paths of Python files.
        root: folder that holds the package `quantrag`.

    Returns:
        Paths in sorted order. A package's `__init__.py` counts when anything in it is imported.
    """
    found: set[Path] = set()
    todo = list(files)
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        for name in imported_modules(path.read_text(encoding="utf-8")):
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                base = root.joinpath(*parts[:depth])
                todo += [p for p in (base / "__init__.py", base.with_suffix(".py")) if p.is_file()]
    return sorted(found)


def source_hash(files: Iterable[Path], root: Path) -> str:
    """Hash (16 hex digits of SHA-256) of the content of `source_files(files, root)`.

    YAML files beside these modules, which they may read, count too.
    """
    modules = source_files(files, root)
    data = {path for folder in {path.parent for path in modules} for path in folder.glob("*.yaml")}
    digest = hashlib.sha256()
    for path in [*modules, *sorted(data)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
