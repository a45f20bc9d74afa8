"""The configuration is read from what Snakemake merged, with the command line's values as text."""

import copy

import pytest
import yaml

from quantrag.config.loading import load_config
from quantrag.errors import UserError


@pytest.fixture
def demo(root):
    return yaml.safe_load((root / "config" / "demo.yaml").read_text())


def merged(config, given):
    """`config` with what the command line gave, as Snakemake merges them."""
    config = copy.deepcopy(config)
    for key, value in given.items():
        nested = isinstance(value, dict) and isinstance(config.get(key), dict)
        config[key] = merged(config[key], value) if nested else value
    return config


def load(demo, given):
    return load_config(merged(demo, given), (), given)


@pytest.mark.parametrize("name", ["config.yaml", "demo.yaml", "2026.yaml", "retrievers.yaml"])
def test_the_shipped_configurations_are_valid(root, name):
    path = root / "config" / name
    load_config(yaml.safe_load(path.read_text()), [path])


def test_loading_changes_nothing_of_its_argument(demo):
    before = copy.deepcopy(demo)
    load_config(demo, (), {"seed": 3})
    assert demo == before


def test_text_of_the_command_line_becomes_what_the_key_wants(demo):
    given = {
        "statistics": {"draws": "200", "margin": "0.1", "power": "6e-1"},
        "noise_floor": "true",
        "seed": 7,
        "experiment": 2026,
        "k": ["0", "2", "max_1K"],
        "retrieval_depth": "null",
        "precisions": {"x": {"method": "gptq", "bits": "8", "sym": "False"}},
        "retrievers": {"minilm": {"document_prefix": "12", "max_length": "64"}},
        "generation": {"vllm": {"extra": {"a": "2", "b": "c"}, "block_size": "16"}},
        "tasks": {"LaMP-3U": {"lamp": "3", "max_queries": "null"}},
        "models": {"smollm2-135m-instruct": {"chat_template": "none"}},
    }
    experiment = load(demo, given)
    assert experiment.statistics.draws == 200
    assert (experiment.statistics.margin, experiment.statistics.power) == (0.1, 0.6)
    assert experiment.noise_floor is True
    assert (experiment.seed, experiment.experiment) == (7, "2026")
    assert type(experiment.experiment) is str
    assert experiment.k == ["0", "2", "max_1K"]
    assert experiment.retrieval_depth is None
    assert experiment.precisions["x"].bits == 8
    assert experiment.precisions["x"].sym is False
    assert experiment.retrievers["minilm"].document_prefix == "12"
    assert experiment.retrievers["minilm"].max_length == 64
    assert experiment.generation.vllm.extra == {"a": 2, "b": "c"}
    assert experiment.generation.vllm.block_size == 16
    assert experiment.tasks["LaMP-3U"].lamp == 3
    assert experiment.tasks["LaMP-3U"].max_queries is None
    assert experiment.models["smollm2-135m-instruct"].chat_template == "none"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"statistics": {"draws": "2.5"}}, "statistics.draws: '2.5' is not an integer"),
        ({"seed": 1.0}, "seed: '1.0' is not an integer (did you mean 1?)"),
        ({"noise_floor": "maybe"}, "noise_floor: 'maybe' is not true or false"),
        ({"statistics": {"margin": "nan"}}, "statistics.margin: nan is not allowed"),
        ({"statistics": "x"}, "statistics: 'x' is not a mapping"),
        ({"sed": 3}, "sed: unknown key (did you mean 'seed'?)"),
    ],
)
def test_a_mistake_on_the_command_line_is_said_to_be_there(demo, given, expected):
    with pytest.raises(UserError) as caught:
        load(demo, given)
    assert str(caught.value).startswith(f"--config: {expected}")


def test_a_number_with_an_exponent_is_one(demo):
    """YAML 1.2 reads 1e-3 as a number; PyYAML hands it over as text."""
    config = {**demo, "statistics": {"margin": yaml.safe_load("1e-3")}}
    assert load_config(config).statistics.margin == 0.001


def test_a_number_stays_as_it_was_written(demo):
    config = {**demo, "generation": {"device": "cpu", "vllm": {"kv_cache_gib": 4}}}
    assert repr(load_config(config).generation.vllm.kv_cache_gib) == "4"
    assert repr(load_config(demo).generation.vllm.kv_cache_gib) == "2"


def test_the_file_that_holds_the_key_is_named(demo, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(yaml.safe_dump(demo))
    second.write_text("seed: x\n")
    files = [first, second]
    for change, file in (({"seed": "x"}, second), ({"baseline": "x"}, first)):
        with pytest.raises(UserError) as caught:
            load_config({**demo, **change}, files)
        assert str(caught.value).startswith(f"{file}: {next(iter(change))}: ")
