"""An edit changes the hash of exactly the scripts that import the edited file."""

import pytest

from quantrag.runtime.source_hash import imported_modules, source_files, source_hash


@pytest.fixture
def scripts(tmp_path):
    """Two scripts: `first.py` reaches `deep` through `shared`, `second.py` uses `other` alone."""
    package = tmp_path / "quantrag"
    (package / "sub").mkdir(parents=True)
    for path, text in {
        "first.py": "with job():\n    from quantrag.shared import helper\n",
        "second.py": "from quantrag import other\n",
        "quantrag/__init__.py": "",
        "quantrag/shared.py": "def f():\n    from quantrag.sub import deep\n",
        "quantrag/other.py": "import json\n",
        "quantrag/unused.py": "",
        "quantrag/sub/__init__.py": "",
        "quantrag/sub/deep.py": "from quantrag.shared import helper  # a cycle must end\n",
        "quantrag/sub/words.yaml": "a: 1\n",
    }.items():
        (tmp_path / path).write_text(text)
    return tmp_path


def test_imports_are_found_at_any_depth():
    source = "import quantrag.a\ndef f():\n    from quantrag.b import c\nimport quantragx, os\n"
    assert imported_modules(source) == {"quantrag.a", "quantrag.b", "quantrag.b.c"}


def test_files_follow_imports_through_modules_and_packages(scripts):
    names = [str(p.relative_to(scripts)) for p in source_files([scripts / "first.py"], scripts)]
    assert names == [
        "first.py",
        "quantrag/__init__.py",
        "quantrag/shared.py",
        "quantrag/sub/__init__.py",
        "quantrag/sub/deep.py",
    ]


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("quantrag/sub/deep.py", {"first.py"}),
        ("quantrag/sub/words.yaml", {"first.py"}),
        ("quantrag/other.py", {"second.py"}),
        ("quantrag/__init__.py", {"first.py", "second.py"}),
        ("quantrag/unused.py", set()),
        ("second.py", {"second.py"}),
    ],
)
def test_an_edit_changes_the_hash_of_the_scripts_that_use_it(scripts, edited, changed):
    names = ["first.py", "second.py"]
    before = {name: source_hash([scripts / name], scripts) for name in names}
    with (scripts / edited).open("a") as file:
        file.write("# edited\n")
    after = {name: source_hash([scripts / name], scripts) for name in names}
    assert {name for name in names if before[name] != after[name]} == changed


def test_a_touched_file_keeps_the_hash(scripts):
    before = source_hash([scripts / "first.py"], scripts)
    (scripts / "quantrag" / "shared.py").touch()
    assert source_hash([scripts / "first.py"], scripts) == before
