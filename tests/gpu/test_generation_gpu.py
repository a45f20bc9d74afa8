"""Generation on a CUDA GPU: every way of running the tiny model, and what only a GPU can tell."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from generation_samples import cell_files, tiny_checkpoint
from quantrag.generation.journal import read_journal
from quantrag.runtime.gpu import compute_capability
from quantrag.tables import read_table

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
PROGRAM = Path(__file__).with_name("gpu_job.py")
KS = ["0", "1", "3"]
#: Engines at a time: a start is mostly work of the CPU.
AT_ONCE = 4
INVARIANT = {"settings": {"vllm": {"batch_invariant": True}}}
#: Changes to the usual job, by name; each is one engine.
VARIANTS = {
    "eager": {},
    "another order": {"shuffle_seed": 0},
    "compiled": {"settings": {"vllm": {"enforce_eager": False}}},
    "worker process": {},
    "invariant": INVARIANT,
    "invariant, another order": {**INVARIANT, "shuffle_seed": 0},
    "fp8": {"settings": {"vllm": {"extra": {"quantization": "fp8"}}}},
    "fp8 cache": {"spec": {"kv_cache_dtype": "fp8"}},
    "transformers": {"settings": {"engine": "transformers"}},
}


def start(folder: Path, checkpoint: Path, changes: dict, **environment: str) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    with open(folder / "log.txt", "ab") as log:
        return subprocess.Popen(
            [sys.executable, PROGRAM, folder, checkpoint, json.dumps(changes)],
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
            start_new_session=True,
        )


def log_tail(folder: Path) -> str:
    return (folder / "log.txt").read_text(errors="replace")[-3000:]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.fixture(scope="module")
def runs(checkpoint, tmp_path_factory):
    """The folder of each variant's finished job."""
    folders = {name: tmp_path_factory.mktemp("run") / "job" for name in VARIANTS}

    def finish(name: str) -> int:
        worker = {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"} if name == "worker process" else {}
        return start(folders[name], checkpoint, VARIANTS[name], **worker).wait(timeout=400)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = dict(zip(VARIANTS, pool.map(finish, VARIANTS), strict=True))
    failed = {name: log_tail(folders[name]) for name, code in codes.items() if code}
    return folders, failed


def of(runs, name: str) -> Path:
    folders, failed = runs
    assert name not in failed, failed[name]
    return folders[name]


def answers(folder: Path) -> list[list[str]]:
    return [list(read_table(path).text) for path in cell_files(folder / "completions" / "fp32", KS)]


def costs_of(folder: Path) -> dict:
    return json.loads((folder / "costs" / "fp32.json").read_text())


@pytest.mark.parametrize("name", VARIANTS)
def test_every_prompt_is_answered_and_costs_are_known(runs, name):
    folder = of(runs, name)
    for path in cell_files(folder / "completions" / "fp32", KS):
        assert read_table(path).finish_reason.isin(["stop", "length"]).all()
    costs = costs_of(folder)
    assert costs["energy_wh"] is not None
    assert costs["peak_memory_gib"] is None or costs["peak_memory_gib"] > 0
    assert 0 < costs["loaded_gib"] < costs["memory_gib"]
    (environment,) = costs["provenance"]["environments"]
    assert environment["driver"]
    assert environment["device"] == costs["device"] == torch.cuda.get_device_name(0)


def test_the_cache_is_as_large_as_was_asked_for(runs):
    costs = costs_of(of(runs, "eager"))
    # Keys and values of 2 layers with 2 heads of 32 bfloat16 each.
    assert costs["cache_bytes_per_token"] == 2 * 2 * 2 * 32 * 2
    assert costs["cache_tokens"] == pytest.approx(2**26 / 512, rel=0.01)


def test_the_kernels_are_named_also_where_the_model_is_in_another_process(runs):
    reports = [
        costs_of(of(runs, name))["provenance"]["engine_reports"][0]
        for name in ("eager", "worker process")
    ]
    assert reports[0]["kernels"] == reports[1]["kernels"]
    assert {"QKVParallelLinear", "RowParallelLinear"} <= set(reports[0]["kernels"])


def test_torch_compile_and_cuda_graphs_were_really_used(runs):
    (report,) = costs_of(of(runs, "compiled"))["provenance"]["engine_reports"]
    assert report["enforce_eager"] is False


def test_fp8_takes_less_memory_by_a_kernel_of_its_own(runs):
    costs = costs_of(of(runs, "fp8"))
    assert costs["loaded_gib"] < costs_of(of(runs, "eager"))["loaded_gib"]
    (report,) = costs["provenance"]["engine_reports"]
    assert all("/" in name for name in report["kernels"]["QKVParallelLinear"])


def test_an_fp8_cache_takes_half(runs):
    costs = costs_of(of(runs, "fp8 cache"))
    assert costs["cache_bytes_per_token"] == 256


def test_the_noise_floor_answers_the_same_prompts(runs):
    shares = []
    for one, other in zip(
        answers(of(runs, "eager")), answers(of(runs, "another order")), strict=True
    ):
        shares += [a == b for a, b in zip(one, other, strict=True)]
    # A random model's candidates are close: some may change, most don't.
    assert sum(shares) > len(shares) / 2


@pytest.mark.skipif(
    torch.cuda.is_available() and compute_capability() < (8, 0), reason="needs capability 8.0"
)
def test_batch_invariant_answers_are_the_same_in_every_order(runs):
    assert answers(of(runs, "invariant")) == answers(of(runs, "invariant, another order"))


def test_asking_for_the_gpu_does_not_initialise_cuda(root):
    program = (
        "import torch; from quantrag.runtime.gpu import compute_capability, require_cuda; "
        "from quantrag.runtime.telemetry import Meter, free_memory_bytes, gpu_description; "
        "require_cuda('cuda'); Meter('cuda').stop(); "
        "print(compute_capability(), free_memory_bytes('cuda'), gpu_description()); "
        "assert not torch.cuda.is_initialized()"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=root / "workflow" / "scripts", check=True, timeout=120
    )


def test_a_killed_job_goes_on_where_it_was(checkpoint, tmp_path):
    folder = tmp_path / "job"
    journal = folder / "journals" / "fp32.jsonl"
    changes = {"queries": 200, "settings": {"max_new_tokens": 64}}
    process = start(folder, checkpoint, changes)
    deadline = time.monotonic() + 200
    while not journal.exists() or journal.read_bytes().count(b"\n") < 50:
        assert process.poll() is None, log_tail(folder)
        assert time.monotonic() < deadline, log_tail(folder)
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = set(read_journal(journal).completions)
    assert 0 < len(before) < 2 * 3 * 200
    assert start(folder, checkpoint, changes).wait(timeout=300) == 0, log_tail(folder)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    keys = [line["key"] for line in lines if "key" in line]
    assert len(keys) == len(set(keys))
    assert before < set(keys)


def test_a_model_that_does_not_fit_is_said_before_it_is_loaded(checkpoint, tmp_path):
    spec = {"settings": {"vllm": {"max_model_len": 10**12}}}
    folder = tmp_path / "job"
    assert start(folder, checkpoint, spec).wait(timeout=120) == 1
    assert "does not fit into the GPU's free memory" in log_tail(folder)
