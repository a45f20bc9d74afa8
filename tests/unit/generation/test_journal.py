"""The journal loses nothing that was finished, whatever happens to its writer."""

import os
import subprocess
import sys
import textwrap

import pytest

from quantrag.engines.base import Completion
from quantrag.errors import UserError
from quantrag.generation.journal import Journal, read_journal


def completion(key: str, text: str = "an answer") -> Completion:
    return Completion(key, text, "stop", 12, 4, 3, [5, 7, 2], [-0.5, -1.25, 0.0])


def write(path, *keys):
    with Journal(path) as journal:
        for key in keys:
            journal.append(completion(key))


def in_subprocess(root, code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env={**os.environ, "PYTHONPATH": str(root / "workflow" / "scripts")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "a" / "j.jsonl"
    written = completion("x", 'line\nbreak, "quotes", é, 🙂, \ud800')
    with Journal(path) as journal:
        journal.append(written)
        journal.append_session({"session": "s", "identity": "i", "load_s": 1.5})
        journal.append_session({"session": "s", "identity": "i", "load_s": 2.5})
    completions, sessions, _ = read_journal(path)
    assert completions == {"x": written}
    assert [session["load_s"] for session in sessions] == [2.5]
    assert read_journal(path, keys={"other"})[0] == {}


def test_an_absent_journal_is_empty(tmp_path):
    assert read_journal(tmp_path / "none.jsonl") == ({}, [], {})


def test_a_cut_at_every_byte_of_the_last_line_loses_that_line_alone(tmp_path):
    path = tmp_path / "j.jsonl"
    write(path, "a", "b")
    whole = path.read_bytes()
    start = whole[:-1].rfind(b"\n") + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        assert set(read_journal(path)[0]) == {"a"}
        write(path, "c")
        assert set(read_journal(path)[0]) == {"a", "c"}
        assert len(path.read_bytes()) == len(whole)


def test_a_journal_that_is_one_torn_line_starts_over(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"key": "' + b"x" * 200_000)
    write(path, "a")
    assert set(read_journal(path)[0]) == {"a"}


def test_a_damaged_line_costs_only_itself(tmp_path, caplog):
    path = tmp_path / "j.jsonl"
    write(path, "a", "b", "c")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"\0" * 30 + b"\n"
    path.write_bytes(b"".join(lines))
    assert set(read_journal(path)[0]) == {"a", "c"}
    assert "1 damaged line" in caplog.text


def test_the_first_of_two_answers_counts(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append(completion("a", "first"))
        journal.append(completion("a", "second"))
    assert read_journal(path)[0]["a"].text == "first"


def test_a_second_writer_is_told_who_the_first_is(tmp_path, root):
    path = tmp_path / "j.jsonl"
    code = """
        import sys
        from quantrag.generation.journal import Journal
        from quantrag.errors import UserError
        try:
            Journal(sys.argv[1])
        except UserError as error:
            print(error)
    """
    with Journal(path):
        told = in_subprocess(root, code, str(path)).stdout
    assert f"process {os.getpid()} on" in told
    assert str(path) in told
    assert in_subprocess(root, code, str(path)).stdout == ""


FILL = """
    import resource, signal, sys
    from quantrag.engines.base import Completion
    from quantrag.errors import UserError
    from quantrag.generation.journal import Journal
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    done = 0
    try:
        with Journal(sys.argv[1]) as journal:
            for done in range(10_000):
                journal.append(Completion(str(done), "x" * 500, "stop", 1, 0, 1))
    except UserError as error:
        print(done)
        print(error)
"""


def check_full_disk(path, output: str) -> None:
    done, message = output.splitlines()
    assert "no space left" in message
    assert str(path) in message
    assert "run again" in message
    completions, *_ = read_journal(path)
    assert list(completions) == [str(i) for i in range(int(done))]
    assert path.read_bytes().endswith(b"\n")


def test_a_file_size_limit_is_one_clear_error_and_loses_nothing(tmp_path, root):
    path = tmp_path / "j.jsonl"
    check_full_disk(path, in_subprocess(root, FILL, str(path), "20000").stdout)
    write(path, "more")
    assert "more" in read_journal(path)[0]


def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path, root):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs needs the right to mount")
    try:
        path = disk / "j.jsonl"
        check_full_disk(path, in_subprocess(root, FILL, str(path)).stdout)
        subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
        write(path, "more")
        assert "more" in read_journal(path)[0]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_journal_on_a_full_disk_cannot_even_be_opened(tmp_path, monkeypatch):
    import errno

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("quantrag.generation.journal.os.open", full)
    with pytest.raises(UserError, match="no space left"):
        Journal(tmp_path / "j.jsonl")
