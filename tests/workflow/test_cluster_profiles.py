"""Every profile is understood by Snakemake and plans the paper's grid; each entry says why."""

import re

import pytest
import yaml

from running import job_counts, run_snakemake

#: What a profile needs to be planned here, beside itself.
MORE = {
    "default": ["--cores", "8"],
    # In place of a bucket in the network, of which even a dry run would ask what it holds.
    "kubernetes": ["--default-storage-provider", "fs", "--default-storage-prefix", "{tmp}/storage"],
}
TAKE_THE_PLACE_OF_DEFAULT = ["gpu", "kubernetes", "multi-gpu", "slurm"]
SECRETS = ["HF_TOKEN", "SNAKEMAKE_STORAGE_S3_ACCESS_KEY", "SNAKEMAKE_STORAGE_S3_SECRET_KEY"]


def profile(root, name):
    return yaml.safe_load((root / "profiles" / name / "config.yaml").read_text())


def rules_in_files(root):
    texts = [path.read_text() for path in (root / "workflow" / "rules").glob("*.smk")]
    return set(re.findall(r"^ *rule (\w+)|^use rule \w+ as (\w+)", "\n".join(texts), re.MULTILINE))


@pytest.mark.parametrize("name", ["default", *TAKE_THE_PLACE_OF_DEFAULT])
def test_profiles_plan_the_papers_grid(project, tmp_path, monkeypatch, name):
    for secret in SECRETS:
        monkeypatch.setenv(secret, "none")
    more = [argument.format(tmp=tmp_path) for argument in MORE.get(name, [])]
    # `slurm` looks for the scheduler when it is loaded, in a dry run too.
    done = run_snakemake(project, "-n", "--workflow-profile", f"profiles/{name}", *more)
    assert done.returncode == 0, done.stderr[-3000:]
    assert job_counts(done.stdout + done.stderr)["generate"] == 24


def test_profiles_are_listed_and_explained(root):
    names = sorted(path.name for path in (root / "profiles").iterdir() if path.is_dir())
    assert names == sorted(["default", "demo", *TAKE_THE_PLACE_OF_DEFAULT])
    table = (root / "profiles" / "README.md").read_text()
    for name in names:
        assert f"| `{name}` |" in table


@pytest.mark.parametrize("name", TAKE_THE_PLACE_OF_DEFAULT)
def test_profiles_that_take_the_defaults_place_keep_what_is_right_everywhere(root, name):
    default, other = profile(root, "default"), profile(root, name)
    # How many GPUs there are is the machine's matter; those with `__` and `?` aren't options.
    options = {key: value for key, value in default.items() if key[0] not in "_?"}
    kept = {key: value for key, value in options.items() if key != "resources"}
    assert {key: other.get(key) for key in kept} == kept


@pytest.mark.parametrize("name", ["default", "demo", *TAKE_THE_PLACE_OF_DEFAULT])
def test_every_entry_has_its_reason(root, name):
    """A comment stands above each block of entries."""
    text = (root / "profiles" / name / "config.yaml").read_text()
    for block in text.strip().split("\n\n"):
        assert block.startswith("#"), f"no reason given:\n{block}"


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_groups_name_rules_and_have_a_size(root, name):
    content = profile(root, name)
    known = {first or second for first, second in rules_in_files(root)}
    pairs = [entry.split("=") for entry in content["groups"]]
    assert {rule for rule, _ in pairs} <= known
    sizes = dict(entry.split("=") for entry in content["group-components"])
    assert {group for _, group in pairs} == sizes.keys()
    # What takes hours, or carries gigabytes, is a job of its own.
    grouped = {rule for rule, _ in pairs}
    alone = {"generate", "quantize_gptq", "quantize_auto_gptq", "quantize_llm_compressor"}
    assert not grouped & {*alone, "fetch_checkpoint", "download_encoder"}


def test_jobs_beside_a_gpu_take_fewer_cores_where_several_share_a_machine(root):
    """Every rule that asks for eight threads and a GPU."""
    named = {entry.partition("=")[0] for entry in profile(root, "multi-gpu")["set-threads"]}
    wanted = set()
    for path in (root / "workflow" / "rules").glob("*.smk"):
        for text in path.read_text().split("\nrule ")[1:]:
            if "gpu=" in text and "threads: 8" in text:
                wanted.add(text.partition(":")[0])
    assert wanted == named
