"""Everything that is known of an engine without importing it."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest

from generation_samples import fake_checkpoint, make_spec, settings
from quantrag.engines.base import Engine
from quantrag.engines.registry import ENGINES, create_engine, perplexity_texts
from quantrag.errors import UserError
from quantrag.generation.settings import GenerationSettings
from quantrag.quantization.compatibility import ENGINES as IN_THE_TABLE
from quantrag.runtime.source_hash import source_hash


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_created_with_its_own_options(tmp_path, name):
    spec = make_spec(fake_checkpoint(tmp_path), settings=settings(engine=name))
    engine = create_engine(spec)
    assert isinstance(engine, Engine)
    assert type(engine).__module__ == ENGINES[name].module
    assert ENGINES[name].without_effect <= spec.options.keys()


def test_the_registry_and_the_configuration_have_the_same_engines_and_options():
    fields = GenerationSettings.model_fields
    assert get_args(fields["engine"].annotation) == tuple(ENGINES)
    for name, engine in ENGINES.items():
        options = fields[name].annotation.model_fields.keys()
        asked = {engine.gpus_option, engine.prefix_cache_option} - {None}
        assert engine.without_effect | asked <= options


def test_the_table_of_support_has_the_engines_that_run_here():
    assert set(IN_THE_TABLE) == {name for name, engine in ENGINES.items() if engine.local}


@pytest.mark.parametrize(
    ("name", "options", "gpus", "cached"),
    [
        ("vllm", {"tensor_parallel_size": 2, "prefix_caching": True}, 2, True),
        ("vllm", {"tensor_parallel_size": 1, "prefix_caching": False}, 1, False),
        ("transformers", {}, 1, False),
        ("openai", {}, 0, False),
    ],
)
def test_gpus_and_prefix_caches(name, options, gpus, cached):
    assert ENGINES[name].gpus(options) == gpus
    assert ENGINES[name].caches_prefixes(options) == cached


@pytest.mark.parametrize(("name", "texts"), [("vllm", 9), ("transformers", 9), ("openai", 0)])
def test_perplexity_is_measured_where_the_model_runs_here(name, texts):
    config = {"generation": {"engine": name}, "quantization": {"perplexity_texts": 9}}
    assert perplexity_texts(config) == texts


def test_a_missing_engine_is_one_clear_error():
    missing = replace(ENGINES["vllm"], distributions=("no-such-package",))
    with pytest.raises(UserError, match=r"'vllm' is not installed .*no-such-package"):
        missing.version()


def test_versions_are_found_without_importing(root):
    code = "import sys; from quantrag.engines.registry import ENGINES; ENGINES['vllm'].version(); "
    code += "print({'vllm', 'torch', 'transformers'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize("edited", ENGINES)
def test_an_edited_engine_changes_the_code_of_its_own_jobs_alone(root, tmp_path, edited):
    scripts = shutil.copytree(root / "workflow" / "scripts", tmp_path / "scripts")

    def hashes():
        return {
            name: source_hash([scripts / "generate.py", scripts / engine.source_file], scripts)
            for name, engine in ENGINES.items()
        }

    before = hashes()
    with (scripts / ENGINES[edited].source_file).open("a") as file:
        file.write("# edited\n")
    after = hashes()
    assert {name for name in ENGINES if before[name] != after[name]} == {edited}
