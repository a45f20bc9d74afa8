"""The paper's grid and the demo's resolve to the jobs that they should; mistakes stop them."""

import re

import pytest
import yaml

from running import copy_project, job_counts, run_snakemake

PAPER = {
    # 2 tasks x 2 splits x questions and outputs
    "download_lamp": 8,
    "download_encoder": 3,
    "fetch_checkpoint": 6,
    "fetch_published_checkpoint": 6,
    "prepare_task": 2,
    "prepare_training_split": 2,
    "index_lucene": 2,
    "retrieve_lucene": 2,
    # 2 tasks x 2 dense retrievers
    "encode_documents": 4,
    "index_faiss": 4,
    "retrieve_dense": 4,
    # 6 models x 2 tasks x (3 retrievers and none)
    "build_prompts": 48,
    "choose_calibration_texts": 6,
    "quantize_gptq": 6,
    # 6 models x (FP16, two INT4 methods, noise floor)
    "generate": 24,
    "score": 24,
}


def test_the_papers_grid_resolves_with_one_generation_job_per_model_and_precision(project):
    done = run_snakemake(project, "-n", "--cores", "8")
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    # Stages that other parts of the configuration decide are only bounded.
    assert {rule: counts[rule] for rule in PAPER} == PAPER
    assert sum(counts.values()) < 250


def test_what_the_papers_code_did_resolves_beside_its_grid(project):
    files = ("config/config.yaml", "config/paper-released.yaml")
    done = run_snakemake(project, "-n", "--cores", "8", "--configfile", *files)
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    assert (counts["retrieve_okapi"], counts["retrieve_dense"]) == (2, 4)
    # Contriever, and one encoder for DPR's questions and passages.
    assert counts["download_encoder"] == 2
    assert "retrieve_lucene" not in counts


def test_the_papers_own_answers_resolve_with_and_without_golds(project):
    files = ("config/paper-answers.yaml", "config/paper-answers-golds.yaml")
    for own in (files[:1], files):
        done = run_snakemake(project, "-n", "--cores", "8", "--configfile", *own)
        assert done.returncode == 0, done.stderr
        counts = job_counts(done.stdout + done.stderr)
        # With the second run at k = 0, of five models.
        assert (counts["download_paper_answers"], counts["score_recorded"]) == (377, 2)
        assert counts["compare_without"] == 1
        with_golds = ("prepare_task", "paper_queries", "download_paper_log")
        assert {rule in counts for rule in with_golds} == {own == files}


def test_the_grid_of_2026_resolves(project):
    done = run_snakemake(project, "-n", "--cores", "8", "--configfile", "config/2026.yaml")
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    precisions = yaml.safe_load((project / "config" / "2026.yaml").read_text())["precisions"]
    # 6 models x (each precision, noise floor)
    assert counts["generate"] == counts["score"] == 6 * (len(precisions) + 1)
    # 6 models x 2 tasks x (2 retrievers and none)
    assert counts["build_prompts"] == 36
    assert counts["fetch_checkpoint"] == 6
    assert counts["download_encoder"] == 1
    assert "fetch_published_checkpoint" not in counts
    assert sum(counts.values()) < 350


@pytest.fixture(scope="module")
def local_grid(root, tmp_path_factory):
    """The paper's grid with a folder of the user's instead of every download."""
    folder = tmp_path_factory.mktemp("local")
    config = yaml.safe_load((root / "config" / "config.yaml").read_text())

    def local(name):
        (folder / name).mkdir()
        for file in ("model.safetensors", "config.json", "tokenizer.json"):
            (folder / name / file).touch()
        return {"kind": "folder", "folder": str(folder / name)}

    for name, task in config["tasks"].items():
        (folder / name).mkdir()
        for split in ("train", "dev"):
            for part in ("questions", "outputs"):
                (folder / name / f"{split}_{part}.json").touch()
        task["source"] = {"kind": "local", "folder": str(folder / name)}
    for name, retriever in config["retrievers"].items():
        for key in {"encoder", "query_encoder"} & retriever.keys():
            retriever[key] = local(f"{name}-{key}")
    for name, model in config["models"].items():
        model["source"] = local(name)
    awq = config["precisions"]["int4-awq"]["checkpoints"]
    awq.update({name: local(f"{name}-awq") for name in awq})
    file = folder / "local.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


def test_everything_can_be_local(project, local_grid):
    done = run_snakemake(project, "-n", "--cores", "8", "--configfile", local_grid)
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    counts = job_counts(output)
    assert not [rule for rule in counts if "download" in rule]
    assert counts["generate"] == 24
    # They check and link what is there.
    assert counts["fetch_checkpoint"] == counts["fetch_published_checkpoint"] == 6
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        assert str(local_grid.parent / "zephyr-7b-beta" / file) in output


@pytest.fixture
def handbook(project, tmp_path):
    """A configuration of questions on a folder of pages, and on SQuAD's layout."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("leave.md", "pay.md"):
        (pages / name).write_text("# Page\n\nText.\n")
    for name in ("questions.csv", "squad.json"):
        (tmp_path / name).touch()
    config = yaml.safe_load((project / "config" / "demo.yaml").read_text())
    squad = {"squad": str(tmp_path / "squad.json")}
    hub = {"kind": "huggingface", "repo": "a/b", "revision": "c"}
    config["tasks"] = {
        "handbook": {
            "kind": "questions",
            "corpus": {"files": f"{pages}/*.md"},
            "questions": {"file": str(tmp_path / "questions.csv")},
            "answer": "short",
            "held_out": 0.1,
            "passages": {"tokenizer": hub},
        },
        "squad": {"kind": "questions", "corpus": squad, "questions": squad, "answer": "short"},
    }
    config["precisions"]["int4-gptq"]["calibration"]["tasks"] = ["handbook"]
    file = tmp_path / "handbook.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


def test_questions_on_anyones_documents_are_planned(project, handbook):
    done = run_snakemake(project, "-n", "--cores", "2", "--configfile", handbook)
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    counts = job_counts(output)
    # Only the task that calibrates has something held out, and its tokenizer is downloaded.
    assert (counts["prepare_corpus"], counts["prepare_questions"]) == (2, 2)
    assert counts["prepare_held_out_questions"] == 1
    assert not {"prepare_task", "prepare_training_split"} & counts.keys()
    assert counts["download_encoder"] == 1
    assert counts["retrieve_lucene"] == counts["retrieve_dense"] == 2
    assert counts["generate"] == 2
    assert counts["measure_retrieval"] == 1
    for name in ("pages/leave.md", "pages/pay.md", "questions.csv", "squad.json"):
        assert str(handbook.parent / name) in output, name


def test_ones_own_documents_lie_here_wherever_a_profile_keeps_files(project, handbook, tmp_path):
    storage = ["--default-storage-provider", "fs", "--default-storage-prefix", tmp_path / "storage"]
    done = run_snakemake(project, "-n", "--cores", "2", "--configfile", handbook, *storage)
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    assert f"{tmp_path}/storage/results/" in output
    for name in ("pages/leave.md", "pages/pay.md", "questions.csv", "squad.json"):
        assert f"{tmp_path}/{name}" in output
        assert f"storage{tmp_path}/{name}" not in output


def test_rankings_of_others_are_planned_after_them(project, handbook):
    config = yaml.safe_load(handbook.read_text())
    model = {"kind": "huggingface", "repo": "a/b", "revision": "main"}
    config["retrievers"] |= {
        "both": {"kind": "fusion", "retrievers": list(config["retrievers"])},
        "second": {"kind": "rerank", "retriever": "both", "model": model},
        "gold": {"kind": "evidence", "distractors": "second"},
    }
    handbook.write_text(yaml.safe_dump(config))
    target = f"results/{config['experiment']}/tables/retrieval.csv"
    done = run_snakemake(project, "-n", "--cores", "2", "--configfile", handbook, "--", target)
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    for kind in ("fusion", "rerank", "evidence"):
        assert counts[f"retrieve_{kind}"] == 2
    # The tokenizer of the passages, and the cross-encoder.
    assert counts["download_encoder"] == 2
    assert "generate" not in counts


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("corpus", {"files": "nowhere/*.md"}, "corpus.files: 'nowhere/*.md' matches no file."),
        ("questions", {"file": "no.csv"}, "questions.file: no.csv: no such file."),
        ("held_out", 0, "held_out: 0, but int4-gptq is calibrated on what is held out of"),
    ],
)
def test_mistakes_in_questions_stop_in_one_line(project, handbook, key, value, expected):
    config = yaml.safe_load(handbook.read_text())
    config["tasks"]["handbook"][key] = value
    handbook.write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--cores", "2", "--configfile", handbook)
    assert done.returncode != 0
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "error: " in line]
    assert f"tasks.handbook.{expected}" in line
    assert "Traceback" not in done.stdout + done.stderr


def test_a_servers_client_needs_no_gpu(project, local_grid):
    config = yaml.safe_load(local_grid.read_text())
    config["generation"] = {"engine": "openai", "openai": {}}
    config["precisions"] = {"fp16": {"method": "none"}}
    file = local_grid.with_name("served.yaml")
    file.write_text(yaml.safe_dump({**config, "baseline": "fp16"}))
    done = run_snakemake(project, "-n", "--cores", "8", "--configfile", file)
    assert done.returncode == 0, done.stderr
    jobs = re.split(r"^(?:local)?rule ", done.stdout + done.stderr, flags=re.MULTILINE)[1:]
    asked = {job.partition(":")[0] for job in jobs if re.search(r"\bgpu=[1-9]", job)}
    assert not asked & {"generate", "measure_perplexity"}


def test_a_run_that_was_killed_leaves_the_demo_free(project):
    target = "results/demo/tasks/LaMP-3U/queries.parquet"
    locks = project / ".snakemake" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    for name in ("0.input.lock", "0.output.lock"):
        (locks / name).write_text(target + "\n")
    try:
        done = run_snakemake(project, "--profile", "profiles/demo", "--", target)
    finally:
        for name in ("0.input.lock", "0.output.lock"):
            (locks / name).unlink()
    assert done.returncode == 0, done.stderr
    assert (project / target).exists()


def test_retrievers_are_compared_without_a_model(project):
    grid = ["--profile", "profiles/demo", "--configfile", "config/retrievers.yaml"]
    done = run_snakemake(project, *grid, "-n", "--", "results/retrievers/tables/retrievers.csv")
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    assert counts["compare_retrievers"] == 1
    assert counts["retrieve_okapi"] == counts["retrieve_lucene"] == counts["retrieve_order"] == 4
    assert not {"generate", "unpack_gguf", "build_prompts"} & counts.keys()


def test_every_precision_of_a_cpu_is_planned(project):
    grid = ["--profile", "profiles/demo", "--configfile", "config/precisions-cpu.yaml"]
    done = run_snakemake(project, *grid, "-n")
    assert done.returncode == 0, done.stderr
    assert job_counts(done.stdout + done.stderr)["generate"] == 7
    done = run_snakemake(project, *grid, "config/precisions-avx512.yaml", "-n")
    assert job_counts(done.stdout + done.stderr)["generate"] == 9


def test_auto_gptq_takes_the_place_of_its_successor(project, local_grid):
    config = yaml.safe_load(local_grid.read_text())
    config["precisions"]["int4-gptq"].update(tool="auto-gptq", damp_percent=0.01)
    file = local_grid.with_name("auto-gptq.yaml")
    file.write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--cores", "8", "--configfile", file)
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    assert counts["quantize_auto_gptq"] == 6
    assert "quantize_gptq" not in counts


def test_the_summary_and_the_rule_graph_of_the_papers_grid_can_be_read(project):
    done = run_snakemake(project, "--summary")
    assert done.returncode == 0, done.stderr
    header, *rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert {"output_file", "rule", "status", "plan"} <= set(header)
    files = {row[0] for row in rows}
    assert "results/paper/figures/k_sweep.pdf" in files
    assert "results/paper/costs/zephyr-7b-beta/noise-floor.json" in files
    done = run_snakemake(project, "--rulegraph")
    assert done.returncode == 0, done.stderr
    labels = re.findall(r'label\s*=\s*"(\w+)"', done.stdout)
    # One node a rule, whatever the number of jobs.
    assert len(labels) == len(set(labels)) < 35
    assert {"download_lamp", "fetch_checkpoint", "generate", "figures"} <= set(labels)


def test_the_estimate_is_printed_before_anything_is_there(project):
    gpu = "estimate={gpu: L40S}"
    done = run_snakemake(project, "--cores", "1", "--config", gpu, "--", "estimate")
    assert done.returncode == 0, done.stderr
    assert "on one L40S" in done.stdout
    assert "int4-gptq" in done.stdout
    assert (project / "logs" / "paper" / "estimate.log").read_text() in done.stdout
    assert not (project / "results" / "paper" / "tasks").exists()
    done = run_snakemake(
        project, "--cores", "1", "--config", "estimate={gpu: V100}", "--", "estimate"
    )
    assert done.returncode == 1
    assert "estimate.gpu: 'V100' is unknown" in done.stderr


def test_the_demo_resolves_offline(project):
    done = run_snakemake(project, "-n", "--profile", "profiles/demo")
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    assert counts["generate"] == 2
    assert counts["unpack_gguf"] == 1
    assert not [rule for rule in counts if "download" in rule]


def test_a_typo_stops_before_any_job_with_one_line(project, tmp_path):
    config = yaml.safe_load((project / "config" / "demo.yaml").read_text())
    config["retrievers"]["bm25"]["k_1"] = 0.9
    file = tmp_path / "typo.yaml"
    file.write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--cores", "1", "--configfile", file)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(errors) == 1
    assert f"{file}: retrievers.bm25.k_1: unknown key (did you mean 'k1'?)" in errors[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "broken.yaml",
            "seed: [1\nk: 2\n",
            "broken.yaml: line 2, column 2: not valid YAML: expected",
        ),
        ("empty.yaml", "", "empty.yaml: the file is empty. Allowed: keys with values"),
        ("list.yaml", "- 1\n", "list.yaml: a list instead of keys at the top level"),
        ("twice.yaml", "seed: 1\nseed: 2\n", "twice.yaml: line 2: the key 'seed' stands already"),
        ("missing.yaml", None, "missing.yaml: no such file"),
        ("estimate", None, "estimate: no such configuration file. --configfile takes every name"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(project, tmp_path, name, content, expected):
    """Snakemake opens the files before the Snakefile; profiles/default checks them before that."""
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    done = run_snakemake(project, "-n", "--cores", "1", "--configfile", "config/demo.yaml", file)
    assert done.returncode == 1
    *_, last = done.stderr.strip().splitlines()
    assert last.startswith(f"error: {tmp_path}/{expected}")
    assert "Traceback" not in done.stderr
    assert "WorkflowError" not in done.stderr


def test_the_default_file_and_profiles_without_the_default_one_are_checked_too(root, tmp_path):
    folder = copy_project(root, tmp_path / "project")
    with (folder / "config" / "config.yaml").open("a") as file:
        file.write("seed: 3\n")
    for arguments in ([], ["--workflow-profile", "none"]):
        done = run_snakemake(folder, "-n", "--cores", "1", *arguments)
        assert done.returncode == 1
        assert "error: config/config.yaml: line " in done.stderr
        assert "the key 'seed' stands already in line" in done.stderr
        assert "Traceback" not in done.stderr


def test_values_on_the_command_line_may_be_text_of_any_type(project):
    given = ["--config", "statistics={draws: 200}", "noise_floor=false", "seed=7"]
    done = run_snakemake(project, "-n", "--cores", "1", *given)
    assert done.returncode == 0, done.stderr
    assert job_counts(done.stdout + done.stderr)["generate"] == 18
    done = run_snakemake(project, "-n", "--cores", "1", "--config", "statistics={draws: many}")
    assert done.returncode == 1
    [error] = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert error == "error: --config: statistics.draws: 'many' is not an integer. Default: 10000"


def test_a_file_of_ones_own_replaces_the_default_grid(project, tmp_path):
    """Merged into the paper's grid, the user's would run six models more."""
    config = yaml.safe_load((project / "config" / "demo.yaml").read_text())
    config["experiment"] = "mine"
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--cores", "1", "--configfile", file)
    assert done.returncode == 0, done.stderr
    assert "results/mine/" in done.stdout + done.stderr
    assert "llama" not in done.stdout + done.stderr


def test_a_run_may_lie_elsewhere(project, tmp_path):
    """The configuration of the working directory counts, where it has none, the project's."""
    there = ("-n", "--cores", "1", "--directory", str(tmp_path))
    done = run_snakemake(project, *there)
    assert done.returncode == 0, done.stderr
    assert job_counts(done.stdout + done.stderr)["generate"] == PAPER["generate"]
    demo = (project / "config" / "demo.yaml").read_text()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text(demo)
    done = run_snakemake(project, *there)
    assert done.returncode == 0, done.stderr
    assert job_counts(done.stdout + done.stderr)["generate"] < PAPER["generate"]


@pytest.mark.parametrize("arguments", [[], ["--profile", "profiles/demo"]])
def test_lint_finds_nothing(project, arguments):
    done = run_snakemake(project, "--lint", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr


def test_the_rule_graph_can_be_drawn(project):
    done = run_snakemake(project, "--rulegraph", "--profile", "profiles/demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digraph")
    assert '"generate"' in done.stdout or "generate" in done.stdout
