"""A precision that this machine's processor can't run is refused before any job, and only then."""

import pytest

from running import copy_project, run_snakemake

GRID = ["--profile", "profiles/demo", "--configfile", "config/precisions-cpu.yaml"]
MORE = [*GRID, "config/precisions-avx512.yaml"]
COMPLETIONS = "results/precisions-cpu/completions/smollm2-135m-instruct/{}/LaMP-3U/none/k0.parquet"
QUERIES = "results/precisions-cpu/tasks/LaMP-3U/queries.parquet"


@pytest.fixture(scope="module")
def laptop(root, tmp_path_factory):
    """A copy of the project that takes this machine's processor for one without AVX-512."""
    folder = copy_project(root, tmp_path_factory.mktemp("laptop") / "project")
    (folder / "cpuinfo").write_text("flags : fpu avx2\n")
    module = folder / "workflow" / "scripts" / "quantrag" / "runtime" / "cpu.py"
    text = module.read_text()
    assert text.count('"/proc/cpuinfo"') == 1
    module.write_text(text.replace('"/proc/cpuinfo"', repr(str(folder / "cpuinfo"))))
    return folder


def test_it_is_refused_before_any_job(laptop):
    done = run_snakemake(laptop, *MORE, "--", COMPLETIONS.format("kv-fp8"))
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert errors == [
        "error: precisions.kv-fp8: vLLM's kernel needs a CPU with AVX-512, which this machine's "
        "lacks; leave it out."
    ]
    assert "Traceback" not in done.stderr
    assert not (laptop / "results").exists()


def test_what_runs_no_model_goes_on(laptop):
    done = run_snakemake(laptop, *MORE, "--", QUERIES)
    assert done.returncode == 0, done.stderr
    assert (laptop / QUERIES).is_file()


def test_planning_asks_nothing_of_this_machine(laptop):
    """A login node's processor is not the compute nodes'."""
    done = run_snakemake(laptop, *MORE, "-n")
    assert done.returncode == 0, done.stderr
