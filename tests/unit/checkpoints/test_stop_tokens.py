"""The tokens that end an answer, whichever file says so."""

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from quantrag.checkpoints.stop_tokens import stop_token_ids
from quantrag.errors import UserError

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = {"<s>": 1, "</s>": 2, "<|im_start|>": 3, "<|im_end|>": 4, "<|im_end|>\n": 5}


def write(folder, generation=None, config=None, eos="</s>", template=None, **more):
    (folder / "config.json").write_text(
        json.dumps({"eos_token_id": 2} if config is None else config)
    )
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    added = [{"id": i, "content": token, "special": True} for token, i in SPECIAL.items() if i < 5]
    added.append({"id": 6, "content": "word", "special": False})
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))
    settings = {"eos_token": eos, "bos_token": "<s>", "chat_template": template, **more}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    save_file({"model.embed_tokens.weight": np.zeros((8, 2), np.float32)}, folder / "a.safetensors")
    return folder


def test_a_checkpoint_whose_files_agree_keeps_its_stop_tokens(tmp_path):
    # They are part of every answer's key in the journal.
    assert stop_token_ids(write(tmp_path, {"eos_token_id": [2, 4]}, template=CHATML)) == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # The chat template's end, though no eos_token_id names it.
        ({"template": CHATML}, (2, 4)),
        ({"template": CHATML, "eos": "<|im_end|>"}, (2, 4)),
        ({"template": CHATML, "eos": {"content": "<|im_end|>", "lstrip": False}}, (2, 4)),
        ({"template": CHATML, "config": {}}, (2, 4)),
        ({"template": [{"name": "default", "template": CHATML}]}, (2, 4)),
        # The tokenizer's, without a template.
        ({"eos": "<|im_end|>"}, (2, 4)),
        ({"eos": "<|im_end|>", "config": {"eos_token_id": None}}, (4,)),
        ({"config": {"text_config": {"eos_token_id": 3}}}, (2, 3)),
        # Templates that end an answer with nothing, with a word, or not at all.
        ({"template": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"}, (2,)),
        ({"template": "{{ messages[0].content }}"}, (2,)),
        ({"template": "{{ messages | nothing }}"}, (2,)),
        ({"template": "{{ raise_exception('no') }}"}, (2,)),
        ({"template": "{% for m in messages %}{{ m.content }}word{% endfor %}"}, (2,)),
        ({"template": "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"}, (2,)),
    ],
)
def test_where_stop_tokens_come_from(tmp_path, arguments, expected):
    assert stop_token_ids(write(tmp_path, **arguments)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, (2, 4)),
        ([4, 3], (2, 3, 4)),
        ("4", (2, 4)),
        (4.0, (2, 4)),
        (["4", 3.0], (2, 3, 4)),
        (None, (2,)),
        ([None], (2,)),
        ([], (2,)),
        (-1, (2,)),
        ([4, -1, None], (2, 4)),
        # Beyond the eight embeddings.
        (100_000, (2,)),
    ],
)
def test_spellings_of_an_id(tmp_path, value, expected):
    assert stop_token_ids(write(tmp_path, {"eos_token_id": value})) == expected


@pytest.mark.parametrize("value", [True, "</s>", 1.5, {"id": 2}, [[2]], float("nan")])
def test_what_is_no_id_is_one_clear_error(tmp_path, value):
    folder = write(tmp_path, {"eos_token_id": value})
    with pytest.raises(UserError, match=r"generation_config\.json: eos_token_id is .*needed"):
        stop_token_ids(folder)


def test_no_stop_token_at_all_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match="answers would never end"):
        stop_token_ids(write(tmp_path, config={}, eos=None))


def test_a_malformed_generation_config_is_one_clear_error(tmp_path):
    write(tmp_path)
    (tmp_path / "generation_config.json").write_text("{broken")
    with pytest.raises(UserError, match=r"generation_config\.json: not valid JSON"):
        stop_token_ids(tmp_path)


def test_a_tokenizer_of_another_form_gives_its_tokens_too(tmp_path):
    write(
        tmp_path, eos="<|end|>", added_tokens_decoder={"7": {"content": "<|end|>", "special": True}}
    )
    (tmp_path / "tokenizer.json").unlink()
    assert stop_token_ids(tmp_path) == (2, 7)


def test_it_loads_no_pytorch(tmp_path, root):
    write(tmp_path, template=CHATML)
    code = (
        "import sys; from quantrag.checkpoints.stop_tokens import stop_token_ids; "
        f"print(stop_token_ids({str(tmp_path)!r}), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root / "workflow/scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "(2, 4) False"
