"""Every rule says what it does and declares what Snakemake and a cluster need to know of it."""

import re

import pytest

DIRECTIVES = ["output", "log", "benchmark", "conda", "threads", "resources", "script"]
#: Rules that only gather the outputs of others, or print and leave nothing.
TARGETS = {"all", "trec_runs", "estimate"}


@pytest.fixture(scope="module")
def rules(root):
    """The text of every rule, by name, with the folder of its file."""
    found = {}
    for path in [root / "Snakefile", *(root / "workflow" / "rules").rglob("*.smk")]:
        for block in re.split(r"^(?=rule |use rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r"(?:rule (\w+)|use rule \w+ as (\w+))", block)
            found[name[1] or name[2]] = (block, path.parent)
    return found


def test_every_stage_is_there(rules):
    assert {"prepare_task", "index_lucene", "generate", "score", "figures"} <= rules.keys()


def test_every_rule_has_a_docstring_and_all_directives(rules):
    for name, (block, _) in rules.items():
        if name in TARGETS or block.startswith("use rule"):
            continue
        assert re.match(r'rule \w+:\n    """[A-Z].+\."""\n', block), f"{name}: docstring"
        for directive in DIRECTIVES:
            assert re.search(rf"^    {directive}:", block, re.MULTILINE), f"{name}: {directive}"
        # More at each attempt, or a job that ran out of it does so again.
        for resource in ("mem_mb=growing(", "runtime=growing("):
            assert resource in block, f"{name}: {resource}"


def test_inputs_and_outputs_are_named(rules):
    for name, (block, _) in rules.items():
        if name in TARGETS:
            continue
        [output] = re.findall(r"^    output:\n((?:        .*\n)+)", block, re.MULTILINE) or [""]
        lines = [line for line in output.splitlines() if re.match(r" {8}[^ )\]]", line)]
        unnamed = [line for line in lines if not re.match(r" {8}\w+=", line)]
        assert len(lines) <= 1 or not unnamed, f"{name}: {unnamed}"


def test_environments_and_scripts_exist(rules):
    for name, (block, folder) in rules.items():
        for path in re.findall(r'"(\.\./[^"]+\.(?:yaml|py|rst))"', block):
            assert (folder / path).resolve().is_file(), f"{name}: {path}"


def test_code_that_a_rule_runs_decides_whether_it_reruns(rules):
    """Except downloads: edited code fetches nothing again."""
    for name, (block, _) in rules.items():
        script = re.search(r'script:\n        "\.\./scripts/(\w+\.py)"', block)
        if script and "download" not in name and "fetch" not in name and name not in TARGETS:
            assert re.search(rf'code\(\s*"{script[1]}"[,)]', block), name
