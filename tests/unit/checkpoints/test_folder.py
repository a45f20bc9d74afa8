import json
import os
from pathlib import Path

import httpx
import numpy as np
import pytest
from huggingface_hub import errors as hub_errors
from safetensors.numpy import save_file

from quantrag.checkpoints import hub
from quantrag.checkpoints.folder import (
    check_context,
    embedding_rows,
    file_sizes,
    fingerprint,
    link_files,
    new_folder,
    tensor_entries,
    validate,
    weight_bytes,
)
from quantrag.errors import UserError


def write_checkpoint(folder: Path, **config) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {"model.layers.0.up.weight": np.ones((4, 8), np.float32)}, folder / "model.safetensors"
    )
    config = {"max_position_embeddings": 128, **config}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    return folder


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(tmp_path / "checkpoint")


def test_a_whole_checkpoint_is_valid(checkpoint):
    validate(checkpoint, chat_template=True, quantized=False)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such folder"):
        validate(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: (f / "config.json").unlink(), r"config\.json: no such file"),
        (lambda f: (f / "config.json").write_text("{"), r"config\.json: not valid JSON"),
        (lambda f: (f / "config.json").write_text("[]"), r"config\.json: a JSON object"),
        (lambda f: (f / "model.safetensors").unlink(), r"no \.safetensors file\.$"),
        (lambda f: (f / "tokenizer.json").unlink(), "no tokenizer"),
        (lambda f: (f / "tokenizer_config.json").unlink(), "no chat template"),
    ],
)
def test_what_is_missing_or_malformed_is_named(checkpoint, break_it, message):
    break_it(checkpoint)
    with pytest.raises(UserError, match=message):
        validate(checkpoint)


def test_a_base_model_without_chat_template_is_valid_where_none_is_needed(checkpoint):
    (checkpoint / "tokenizer_config.json").unlink()
    validate(checkpoint, chat_template=False)


@pytest.mark.parametrize("keep", [4, 20, -1])
def test_cut_off_weights_are_noticed(checkpoint, keep):
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(UserError, match="cut off"):
        validate(checkpoint)


def test_a_pickle_is_refused_with_the_reason(checkpoint):
    (checkpoint / "model.safetensors").rename(checkpoint / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin is a pickle"):
        validate(checkpoint)


def test_a_shard_that_the_index_names_must_be_there(checkpoint):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=r"not there: model-2\.safetensors"):
        validate(checkpoint)


def test_a_context_over_the_models_limit_is_refused(checkpoint):
    check_context(checkpoint, 128)
    with pytest.raises(UserError, match=r"129 tokens.*128"):
        check_context(checkpoint, 129)


def test_a_quantized_original_is_refused(tmp_path):
    folder = write_checkpoint(tmp_path / "q", quantization_config={"quant_method": "awq"})
    validate(folder, quantized=True)
    with pytest.raises(UserError, match=r"already quantized \(awq\)"):
        validate(folder, quantized=False)


def test_an_unquantized_published_checkpoint_is_refused(checkpoint):
    with pytest.raises(UserError, match="no quantization_config"):
        validate(checkpoint, quantized=True)


def test_the_fingerprint_follows_content_alone(checkpoint, tmp_path):
    before = fingerprint(checkpoint)
    assert len(before) == 64
    assert fingerprint(checkpoint) == before
    (checkpoint / "README.md").write_text("about the model")
    os.utime(checkpoint / "model.safetensors", (1, 1))
    assert fingerprint(checkpoint) == before
    assert fingerprint(write_checkpoint(tmp_path / "copy")) == before


def test_the_fingerprint_changes_with_one_bit_of_the_weights(checkpoint):
    before = fingerprint(checkpoint)
    path = checkpoint / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert fingerprint(checkpoint) != before


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "generation_config.json"])
def test_the_fingerprint_changes_with_the_files_beside_the_weights(checkpoint, name):
    before = fingerprint(checkpoint)
    (checkpoint / name).write_text('{"changed": true}')
    assert fingerprint(checkpoint) != before


def test_a_damaged_cache_of_hashes_does_no_harm(checkpoint):
    before = fingerprint(checkpoint)
    (checkpoint / ".fingerprint.json").write_text("{broken")
    assert fingerprint(checkpoint) == before


def test_a_folder_without_weights_has_no_fingerprint(tmp_path):
    with pytest.raises(UserError, match="no checkpoint here"):
        fingerprint(tmp_path)


def test_links_have_the_fingerprint_of_their_source(checkpoint, tmp_path):
    (checkpoint / "pytorch_model.bin").write_bytes(b"pickle")
    with new_folder(tmp_path / "linked") as folder:
        link_files(checkpoint, folder)
    assert fingerprint(tmp_path / "linked") == fingerprint(checkpoint)
    assert not (tmp_path / "linked" / "pytorch_model.bin").exists()


def test_sizes_and_shapes_come_from_the_files(checkpoint):
    assert tensor_entries(checkpoint)["model.layers.0.up.weight"]["shape"] == [4, 8]
    assert weight_bytes(checkpoint) == file_sizes(checkpoint)["model.safetensors"] > 4 * 8 * 4


def test_a_failed_job_leaves_no_folder(tmp_path):
    def fail():
        with new_folder(tmp_path / "out") as folder:
            (folder / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_job_left_is_neither_used_nor_kept(tmp_path):
    (tmp_path / ".out~tmp").mkdir()
    (tmp_path / ".out~tmp" / "half").write_text("x")
    with new_folder(tmp_path / "out") as folder:
        assert list(folder.iterdir()) == []
        assert not (tmp_path / "out").exists()
        (folder / "whole").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_partial_folders_of_a_longer_name_are_left_alone(tmp_path):
    with new_folder(tmp_path / "int4.g32") as other:
        (other / "half").write_text("x")
        with new_folder(tmp_path / "int4"):
            pass
        assert (other / "half").exists()


def test_a_resumable_job_finds_its_own_partial_folder_only(tmp_path):
    for name in (".out~a", ".out~b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "piece").write_text(name)
    with new_folder(tmp_path / "out", partial="a", keep_partial=True) as folder:
        assert (folder / "piece").read_text() == ".out~a"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def response(status: int) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "https://huggingface.co/a/b"))


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            hub_errors.GatedRepoError("gated", response=response(403)),
            ["is gated", "https://huggingface.co/a/b", "HF_TOKEN is not set"],
        ),
        (
            hub_errors.RepositoryNotFoundError("none", response=response(404)),
            ["no such repository", "https://huggingface.co/a/b"],
        ),
        (
            hub_errors.RevisionNotFoundError("none", response=response(404)),
            ["no revision 'abc'"],
        ),
        (hub_errors.HfHubHTTPError("bad token", response=response(401)), ["refuses the token"]),
        (hub_errors.HfHubHTTPError("oops", response=response(500)), ["could not be downloaded"]),
        (hub_errors.OfflineModeIsEnabled("offline"), ["HF_HUB_OFFLINE is set"]),
        (httpx.ConnectError("no route"), ["could not be downloaded", "can't be reached"]),
    ],
)
def test_a_failed_download_says_what_to_do(monkeypatch, tmp_path, error, parts):
    monkeypatch.delenv("HF_TOKEN", raising=False)

    def fail(**options):
        raise error

    monkeypatch.setattr(hub, "snapshot_download", fail)
    with pytest.raises(UserError) as raised:
        hub.download("a/b", "abc", tmp_path)
    for part in parts:
        assert part in str(raised.value)


class FakeHub:
    """Stands for `snapshot_download`: a repository with given files, sizes in bytes."""

    def __init__(self, files: dict[str, int]) -> None:
        self.files = files
        self.calls = []

    def __call__(self, *, dry_run=False, **options):
        from huggingface_hub.utils import filter_repo_objects

        self.calls.append((dry_run, options))
        names = filter_repo_objects(
            self.files,
            allow_patterns=options["allow_patterns"],
            ignore_patterns=options["ignore_patterns"],
        )
        names = list(names)
        if not dry_run and "local_dir" in options:
            for name in names:
                (options["local_dir"] / name).write_bytes(bytes(self.files[name]))
        return [
            type("File", (), {"filename": n, "file_size": self.files[n], "will_download": True})
            for n in names
        ]


def test_only_safetensors_tokenizer_and_config_are_downloaded(monkeypatch, tmp_path):
    fake = FakeHub(
        dict.fromkeys(
            [
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
                "config.json",
                "generation_config.json",
                "tokenizer.json",
                "tokenizer.model",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "chat_template.jinja",
                # Not these:
                "consolidated.safetensors",
                "pytorch_model-00001-of-00002.bin",
                "modeling_custom.py",
                "onnx/model.safetensors",
                "original/tokenizer.model",
                "README.md",
            ],
            1,
        )
    )
    monkeypatch.setattr(hub, "snapshot_download", fake)
    monkeypatch.setenv("HF_TOKEN", "from-the-environment")
    hub.download("a/b", "0" * 40, tmp_path)
    (dry, options), (wet, same) = fake.calls
    assert (dry, wet) == (True, False)
    assert same == options
    assert options["token"] == "from-the-environment"
    assert sorted(file.filename for file in fake(**options)) == sorted(list(fake.files)[:10])


def test_a_token_stored_elsewhere_is_not_used(monkeypatch, tmp_path):
    fake = FakeHub({"model.safetensors": 1})
    monkeypatch.setattr(hub, "snapshot_download", fake)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    hub.download("a/b", "0" * 40, tmp_path)
    assert all(options["token"] is False for _, options in fake.calls)


def test_space_is_checked_before_the_download(monkeypatch, tmp_path):
    fake = FakeHub({"model.safetensors": 10**18})
    monkeypatch.setattr(hub, "snapshot_download", fake)
    with pytest.raises(UserError, match=r"1000000000\.0 GB are needed"):
        hub.download("a/b", "0" * 40, tmp_path)
    assert [dry for dry, _ in fake.calls] == [True]


def test_a_repository_without_safetensors_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(hub, "snapshot_download", FakeHub({"config.json": 1}))
    with pytest.raises(UserError, match=r"has no \.safetensors file"):
        hub.download("a/b", "0" * 40, tmp_path)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The Hub's cache with one revision of `a/b`, and the network switched off."""
    repository = tmp_path / "cache" / "models--a--b"
    blobs, snapshot = repository / "blobs", repository / "snapshots" / ("c" * 40)
    write_checkpoint(blobs)
    snapshot.mkdir(parents=True)
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(path)
    (snapshot / "README.md").write_text("not a part of the checkpoint")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("c" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return snapshot


@pytest.mark.parametrize("revision", ["c" * 40, "main"])
def test_offline_the_hubs_cache_is_used(cache, tmp_path, revision):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    hub.download("a/b", revision, folder)
    validate(folder)
    assert not (folder / "README.md").exists()
    assert (folder / "model.safetensors").resolve().parent.name == "blobs"


def test_offline_what_is_not_cached_is_said(cache, tmp_path):
    with pytest.raises(UserError, match=r"a/b at v2 must be downloaded.*HF_HUB_OFFLINE.*cache"):
        hub.download("a/b", "v2", tmp_path)


def test_offline_pickled_weights_are_refused_too(cache, tmp_path):
    (cache / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"no \.safetensors file.*refs/pr/N"):
        hub.download("a/b", "main", tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"quantization_config": {"quant_method": "gptq"}},
        {"quantization_config": "gptq"},
        {"compression_config": {"quant_method": "compressed-tensors"}},
        {"text_config": {"quantization_config": {"quant_method": "fp8"}}},
        {"text_config": {"compression_config": {"format": "pack-quantized"}}},
        {"thinker_config": {"text_config": {"quantization_config": {"quant_method": "awq"}}}},
        {"quantization": {"group_size": 64, "bits": 4}},
    ],
)
def test_a_quantized_original_is_refused_under_whichever_key_it_says_so(tmp_path, config):
    folder = write_checkpoint(tmp_path / "q", **config)
    validate(folder, quantized=True)
    with pytest.raises(UserError, match="already quantized"):
        validate(folder, quantized=False)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("up_proj.qweight", np.int32),
        ("up_proj.weight_packed", np.int32),
        ("up_proj.weight_scale", np.float32),
        ("up_proj.weight_scale_inv", np.float32),
        ("up_proj.weight.absmax", np.float32),
        ("up_proj.SCB", np.float32),
        ("up_proj.weight", np.uint32),
        ("up_proj.weight", np.int8),
        ("gate_up_proj_blocks", np.uint8),
    ],
)
def test_a_quantized_original_is_refused_by_its_tensors(checkpoint, name, dtype):
    path = checkpoint / "model.safetensors"
    save_file({f"model.layers.0.{name}": np.ones((4, 8), dtype)}, path)
    with pytest.raises(UserError, match=rf"already quantized \(its tensor .*{name}"):
        validate(checkpoint, quantized=False)


@pytest.mark.parametrize("name", ["quantize_config.json", "quant_config.json"])
def test_a_quantized_original_is_refused_by_its_files(checkpoint, name):
    (checkpoint / name).write_text('{"bits": 4}')
    with pytest.raises(UserError, match=f"already quantized.*{name}"):
        validate(checkpoint, quantized=False)


@pytest.mark.parametrize(
    "config", [{"quantization_config": None}, {"quantization_config": {}}, {"text_config": None}]
)
def test_an_original_that_says_it_is_not_quantized_is_one(tmp_path, config):
    validate(write_checkpoint(tmp_path / "o", **config), quantized=False)


def test_buffers_of_integers_make_no_quantized_checkpoint(checkpoint):
    # GPT-2's masks and BERT's positions.
    buffers = {
        "h.0.attn.bias": np.ones((1, 1, 8, 8), np.uint8),
        "embeddings.position_ids": np.ones((1, 8), np.int64),
        "up.weight": np.ones((4, 8), np.float16),
    }
    save_file(buffers, checkpoint / "model.safetensors")
    validate(checkpoint, quantized=False)


def add_weights(folder, name, rows=4):
    save_file({f"t.{name}": np.ones((rows, 8), np.float32)}, folder / f"{name}.safetensors")


@pytest.mark.parametrize(
    "extra", ["consolidated", "consolidated.00", "adapter_model", "model-00001-of-00002", "other"]
)
def test_a_second_copy_beside_the_model_is_neither_linked_nor_counted(checkpoint, tmp_path, extra):
    size, before = weight_bytes(checkpoint), fingerprint(checkpoint)
    add_weights(checkpoint, extra)
    validate(checkpoint)
    (target := tmp_path / "target").mkdir()
    link_files(checkpoint, target)
    assert not (target / f"{extra}.safetensors").exists()
    assert weight_bytes(checkpoint) == weight_bytes(target) == size
    assert fingerprint(checkpoint) == fingerprint(target) == before


def sharded(checkpoint, indexed=True):
    (checkpoint / "model.safetensors").unlink()
    names = [f"model-0000{i}-of-00002" for i in (1, 2)]
    for name in names:
        add_weights(checkpoint, name)
    if indexed:
        weight_map = {f"t.{name}": f"{name}.safetensors" for name in names}
        index = json.dumps({"weight_map": weight_map})
        (checkpoint / "model.safetensors.index.json").write_text(index)
    return checkpoint


@pytest.mark.parametrize("stale", ["model", "consolidated", "model-00001-of-00003"])
def test_only_the_shards_that_the_index_names_are_the_model(checkpoint, tmp_path, stale):
    size = weight_bytes(sharded(checkpoint))
    add_weights(checkpoint, stale)
    (checkpoint / "consolidated.safetensors.index.json").write_text("{}")
    validate(checkpoint)
    (target := tmp_path / "target").mkdir()
    link_files(checkpoint, target)
    assert weight_bytes(target) == weight_bytes(checkpoint) == size
    assert len(tensor_entries(checkpoint)) == 2


def test_a_shard_that_is_missing_without_an_index_is_noticed(checkpoint):
    sharded(checkpoint, indexed=False)
    validate(checkpoint)
    (checkpoint / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(UserError, match=r"1 of 2 shards are missing \(model-00001-of-00002"):
        validate(checkpoint)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{}", "no weight_map"),
        ('{"weight_map": []}', "no weight_map"),
        ('{"weight_map": {"a": "../other.safetensors"}}', "outside its folder"),
        ("[", "not valid JSON"),
    ],
)
def test_a_malformed_index_is_one_clear_error(checkpoint, index, message):
    (checkpoint / "model.safetensors.index.json").write_text(index)
    with pytest.raises(UserError, match=rf"index\.json: .*{message}"):
        validate(checkpoint)


@pytest.mark.parametrize(
    ("name", "message"),
    [("adapter_model", "holds an adapter"), ("consolidated", "only in Mistral's own format")],
)
def test_a_folder_with_other_weights_only_says_what_it_is(checkpoint, name, message):
    (checkpoint / "model.safetensors").rename(checkpoint / f"{name}.safetensors")
    with pytest.raises(UserError, match=rf"no \.safetensors file\..*{message}"):
        validate(checkpoint)


def test_the_rows_of_the_embedding(checkpoint):
    assert embedding_rows(checkpoint) is None
    tensors = {"model.embed_tokens.weight": np.ones((7, 4), np.float16)}
    save_file(tensors, checkpoint / "model.safetensors")
    assert embedding_rows(checkpoint) == 7


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_others_may_read_what_the_umask_lets_them(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with new_folder(tmp_path / "out") as folder:
            save_file({"a": np.ones(3, np.float32)}, folder / "model.safetensors")
            (folder / "config.json").write_text("{}")
            (folder / "config.json").chmod(0o600)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()}
    assert modes == {mode}
