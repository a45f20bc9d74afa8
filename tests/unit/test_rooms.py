"""The package's rooms: imports go one way, and the tests stand where the modules do."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parents[1] / "workflow" / "scripts" / "quantrag"

#: In the order of docs/architecture.md: a room imports from itself and from rooms before it.
ROOMS = [
    *["errors", "names", "tables", "grid", "section", "model_files", "runtime"],
    *["tasks", "retrieval", "prompts", "checkpoints", "quantization", "engines", "generation"],
    *["scoring", "recorded", "statistics", "config", "presentation", "estimate", "plan"],
]

_SETTINGS = "declarations; tests/unit/config reads every section with its messages"
#: Modules without a test file of their own name, and why.
UNTESTED_HERE = {
    "errors.py": "one exception class without behaviour",
    "names.py": "two reserved names",
    "checkpoints/settings.py": _SETTINGS,
    "engines/base.py": "the interface of engines; each engine's tests hold it to that",
    "engines/settings.py": _SETTINGS,
    "prompts/settings.py": _SETTINGS,
    "quantization/gptq.py": "needs gptqmodel; tests/e2e/test_quantize.py quantizes with it",
    "quantization/llm_compressor.py": (
        "runs in LLM Compressor's own environment; tests/e2e/test_llm_compressor.py runs it there"
    ),
    "quantization/settings.py": _SETTINGS,
    "recorded/settings.py": _SETTINGS,
    "retrieval/settings.py": _SETTINGS,
    "retrieval/text_model.py": "the base of encoders and cross-encoders, whose tests run it",
    "scoring/settings.py": _SETTINGS,
    "statistics/settings.py": _SETTINGS,
    "tasks/lamp_layouts.py": "data; tests/unit/tasks/test_lamp_reader.py reads every layout",
    "tasks/schemas.py": "two schemas; the readers' tests look at the tables that follow them",
    "tasks/settings.py": _SETTINGS,
}


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


def own_test(module: str) -> Path:
    """Where a module's tests stand: `tests/unit/tasks/test_task.py` for `tasks/task.py`."""
    path = TESTS / module
    return path.with_name(f"test_{path.name}")


def test_every_module_has_a_test_file_of_its_own_name():
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    names = {path.relative_to(PACKAGE).as_posix() for path in modules}
    without = {name for name in names if not own_test(name).is_file()}
    expected = [str(own_test(n).relative_to(TESTS)) for n in sorted(without - set(UNTESTED_HERE))]
    assert not expected, (
        f"no tests/unit/{', '.join(expected)}: add it, or name the reason in UNTESTED_HERE"
    )
    stale = sorted(set(UNTESTED_HERE) - without)
    assert not stale, f"remove from UNTESTED_HERE, tested or gone: {', '.join(stale)}"
