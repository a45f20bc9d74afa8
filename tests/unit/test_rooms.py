"""The package's rooms: imports go one way, and no two modules import each other."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "workflow" / "scripts" / "quantrag"

#: In the order of docs/architecture.md: a room imports from itself and from rooms before it.
ROOMS = [
    *["errors", "names", "tables", "grid", "section", "runtime"],
    *["tasks", "retrieval", "prompts", "checkpoints", "quantization", "engines", "generation"],
    *["scoring", "recorded", "statistics", "config", "presentation", "estimate", "plan"],
]


def module_name(path: Path) -> str:
    """`quantrag.tasks.demo` of `quantrag/tasks/demo/__init__.py`."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path: Path) -> set[str]:
    """The package's modules that a file imports anywhere, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            found.update(
                name if name in MODULES else node.module
                for name in (f"{node.module}.{alias.name}" for alias in node.names)
            )
    return {name for name in found if name.startswith("quantrag.")}


def room(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"quantrag"}))
def test_a_room_imports_only_from_rooms_before_it(module):
    assert room(module) in ROOMS, f"{room(module)} is a new room: give it a place in ROOMS"
    after = ROOMS[ROOMS.index(room(module)) + 1 :]
    backwards = sorted(name for name in imports(MODULES[module]) if room(name) in after)
    assert not backwards, f"{module} imports from a later room: {', '.join(backwards)}"


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: imports(path) - {name} for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))
