"""The demo's model at every precision of a CPU (`make precisions`), through vLLM to scores.

A quarter of an hour on two cores, and llm-compressor's environment: QUANTRAG_PRECISIONS=1 runs it.
"""

import os
from pathlib import Path

import pandas as pd
import pytest
import yaml

from quantrag.runtime.cpu import flags
from running import copy_project, run_snakemake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("QUANTRAG_PRECISIONS"), reason="takes long: QUANTRAG_PRECISIONS=1"
    ),
]

AVX512 = {"avx512f", "avx512_bf16"} <= flags()


def more(root: Path) -> dict:
    """What runs only with AVX-512, where there is AVX-512."""
    file = root / "config" / "precisions-avx512.yaml"
    return yaml.safe_load(file.read_text())["precisions"] if AVX512 else {}


@pytest.fixture(scope="module")
def tables(root, tmp_path_factory) -> Path:
    if not (root / ".venv-llm-compressor").exists():
        pytest.fail("make llm-compressor-env first")
    folder = copy_project(root, tmp_path_factory.mktemp("precisions") / "project")
    config = yaml.safe_load((root / "config" / "precisions-cpu.yaml").read_text())
    config["precisions"] |= more(root)
    config["quantization"]["llm_compressor_venv"] = str(root / ".venv-llm-compressor")
    file = folder / "precisions.yaml"
    file.write_text(yaml.safe_dump(config))
    done = run_snakemake(folder, "--cores", "2", "--configfile", file, timeout=3000)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results" / config["experiment"] / "tables"


def test_every_precision_has_scores(tables, root):
    config = yaml.safe_load((root / "config" / "precisions-cpu.yaml").read_text())
    wanted = set(config["precisions"]) | set(more(root))
    scores = pd.read_csv(tables / "scores.csv")
    assert set(scores["precision"]) == wanted
    assert set(pd.read_csv(tables / "comparisons.csv")["precision"]) == wanted - {"bf16"}
    assert len(set(scores.groupby("precision").size())) == 1


def test_fewer_bits_are_more_perplexed(tables):
    table = pd.read_csv(tables / "checkpoints.csv")
    table = table[table["layer"].isna()].set_index("precision")
    perplexity = table["perplexity"]
    assert perplexity["int8-gptq"] == pytest.approx(perplexity["bf16"], rel=0.01)
    # Its activations are rounded too.
    assert perplexity["int8-w8a8"] == pytest.approx(perplexity["bf16"], rel=0.03)
    order = [perplexity[f"int{bits}-gptq"] for bits in (8, 4, 3, 2)]
    assert order == sorted(order)
    assert perplexity["bf16"] < perplexity["fp8-w8a8"] < perplexity["int3-gptq"]
