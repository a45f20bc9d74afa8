"""A downloaded file is trusted the first time and held to its checksum from then on."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from quantrag.errors import UserError
from quantrag.tasks.checksums import read_lock, verify

URL = "https://example.org/LaMP_5/dev/dev_questions.json"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "dev_questions.json"
    path.write_text("[1]")
    return path


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "config" / "checksums.tsv"


def test_the_first_file_is_recorded_and_the_same_one_passes(file, lock):
    verify(file, URL, lock)
    verify(file, URL, lock)
    assert read_lock(lock) == {URL: (hashlib.sha256(b"[1]").hexdigest(), 3)}
    assert [path.name for path in lock.parent.iterdir()] == ["checksums.tsv"]


def test_another_file_is_refused_with_what_to_do(file, lock):
    verify(file, URL, lock)
    before = lock.read_text()
    file.write_text("[1, 2]")
    with pytest.raises(UserError, match=r"not the file that was downloaded first") as caught:
        verify(file, URL, lock)
    for part in (URL, str(lock), "(6 bytes)", "(3 bytes)", "delete that line"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert lock.read_text() == before


def test_a_deleted_line_accepts_the_new_file(file, lock):
    verify(file, URL, lock)
    file.write_text("[1, 2]")
    lock.write_text("".join(x for x in lock.read_text().splitlines(True) if URL not in x))
    verify(file, URL, lock)
    assert read_lock(lock)[URL][1] == 6


def test_a_record_of_another_form_is_refused(file, lock):
    lock.parent.mkdir()
    lock.write_text("# fine\nsha256\tbytes\turl\nabc 3 " + URL + "\n")
    with pytest.raises(UserError, match=r"checksums\.tsv: line 3: sha256, bytes and URL"):
        verify(file, URL, lock)


def test_many_at_the_same_time_lose_no_record(file, lock):
    urls = [f"{URL}?{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda url: verify(file, url, lock), urls))
    assert set(read_lock(lock)) == set(urls)
    assert [path.name for path in lock.parent.iterdir()] == ["checksums.tsv"]
