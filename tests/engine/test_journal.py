"""The journal: every touch is found, a crash is told and gone on from, writers take turns."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import passed_on
from payops.domain.secret import Secret
from payops.engine.journal import Journal
from payops.engine.journal_chain import read_chain
from payops.errors import FailedError, RefusedError


def written(folder: Path, count: int = 5) -> Journal:
    journal = Journal(folder)
    for number in range(count):
        journal.append("test", {"number": number, "text": "a\nb \u202e é"})
    return journal


def test_entries_are_numbered_chained_private_and_whole(tmp_path: Path) -> None:
    journal = written(tmp_path / "deep" / "state")
    chain = journal.read()
    assert [entry["number"] for entry in chain.entries] == [0, 1, 2, 3, 4]
    assert [entry["seq"] for entry in chain.entries] == [1, 2, 3, 4, 5]
    assert (chain.broken, chain.torn, chain.repaired) == (None, b"", 0)
    for path in journal.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    chain = Journal(tmp_path / "none").trusted()
    assert (chain.entries, chain.seq) == ((), 0)


def test_each_line_edited_removed_doubled_or_moved_is_found_there(tmp_path: Path) -> None:
    journal = written(tmp_path)
    whole = journal.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for n in range(len(lines)):
        edited = [*lines]
        edited[n] = lines[n].replace(b'"kind":"test"', b'"kind":"tests"')
        removed = [*lines[:n], *lines[n + 1 :]]
        doubled = [*lines[: n + 1], *lines[n:]]
        for touched in (edited, removed, doubled):
            journal.path.write_bytes(b"".join(touched))
            found = journal.read().broken
            assert found is not None
            assert found.line == n + 1 + (touched is doubled)
        if n:
            moved = [*lines]
            moved[n - 1], moved[n] = moved[n], moved[n - 1]
            journal.path.write_bytes(b"".join(moved))
            assert journal.read().broken is not None
        for cut in (lines[:n], [*lines[:n], lines[n][:-20]]):
            journal.path.write_bytes(b"".join(cut))
            found = journal.read().broken
            assert found is not None, "the end is cut off"
            assert "cut off" in found.what or "missing" in found.what
    journal.path.write_bytes(whole)
    assert journal.read().broken is None


def test_an_entry_written_anew_with_a_good_hash_breaks_the_next(tmp_path: Path) -> None:
    from payops.engine.journal_chain import hash_of, line_of

    journal = written(tmp_path)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    for n in range(len(lines)):
        entry = json.loads(lines[n])
        entry["number"] = 99
        entry["hash"] = hash_of(entry)
        journal.path.write_bytes(b"".join([*lines[:n], line_of(entry), *lines[n + 1 :]]))
        found = journal.read().broken
        assert found is not None
        assert found.line == min(n + 2, len(lines))


@given(st.integers(0, 5000), st.integers(0, 255))
def test_any_byte_changed_is_found(at: int, byte: int) -> None:
    content = _CONTENT[0]
    at %= len(content)
    if content[at] == byte:
        return
    head = _CONTENT[1]
    touched = content[:at] + bytes([byte]) + content[at + 1 :]
    if at == len(content) - 1:
        return  # the last line end: nothing of an entry
    chain = read_chain(touched, head)
    assert chain.broken is not None


def _content() -> tuple[bytes, tuple[int, str]]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        journal = written(Path(folder), 4)
        chain = journal.read()
        return journal.path.read_bytes(), (chain.seq, chain.head)


_CONTENT = _content()


@pytest.mark.parametrize("left", [b"", b"0 xyz", b"\xff", b"99 " + b"0" * 64, b"2 " + b"0" * 64])
def test_the_head_is_touched(tmp_path: Path, left: bytes) -> None:
    journal = written(tmp_path)
    (tmp_path / "journal.head").write_bytes(left)
    assert journal.read().broken is not None
    (tmp_path / "journal.head").unlink()
    assert journal.read().broken is not None
    with pytest.raises(RefusedError, match=r"journal\.head"):
        Journal(tmp_path).append("test", {})


def test_an_older_head_is_a_crash_and_no_touch(tmp_path: Path) -> None:
    journal = written(tmp_path, 2)
    older = (tmp_path / "journal.head").read_bytes()
    journal.append("test", {})
    (tmp_path / "journal.head").write_bytes(older)
    assert journal.read().broken is None


@pytest.mark.parametrize("length", [1, 2, 30, 200, -2, -1])
def test_a_crash_within_a_line_is_told_and_gone_on_from(tmp_path: Path, length: int) -> None:
    journal = written(tmp_path, 2)
    head = (tmp_path / "journal.head").read_bytes()
    before = journal.path.stat().st_size
    journal.append("test", {"number": 2})
    line = journal.path.read_bytes()[before:]
    with journal.path.open("rb+") as file:
        file.truncate(before + (length if length > 0 else len(line) + length))
    (tmp_path / "journal.head").write_bytes(head)
    again = Journal(tmp_path)
    chain = again.read()
    assert chain.broken is None
    if length == -1:  # only the line's end is missing: the entry is whole
        assert chain.torn == b""
        assert chain.seq == 3
    else:
        assert chain.torn != b""
    again.append("test", {"number": 3})
    after = Journal(tmp_path).trusted()
    kinds = [entry["kind"] for entry in after.entries]
    assert (
        kinds == ["test", "test", "test", "test"]
        if length == -1
        else ["test", "test", "repair", "test"]
    )
    assert after.repaired == (length != -1)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    if length != -1:
        journal.path.write_bytes(b"".join([*lines[:2], b"x" + lines[2], *lines[3:]]))
        assert Journal(tmp_path).read().broken is not None, "what was repaired is held too"


def append_some(folder: Path, count: int) -> None:
    journal = Journal(folder)
    for _ in range(count):
        journal.append("test", {"pid": os.getpid()})


def test_writers_of_several_processes_take_turns(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=append_some, args=(tmp_path, 25)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    chain = Journal(tmp_path).trusted()
    assert len(chain.entries) == 100
    assert len({entry["pid"] for entry in chain.entries}) == 4


def test_a_full_disk_leaves_the_journal_whole(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from payops.engine.journal import Journal\n"
        "from payops.errors import FailedError\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "journal.append('test', {'text': 'x' * 500})\n"
        "limit = journal.path.stat().st_size + 100\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "try:\n    journal.append('test', {'text': 'x' * 500})\n"
        "except FailedError as error:\n    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        env={**passed_on(), "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "cannot be used: File too large" in done.stdout, done.stderr
    chain = Journal(tmp_path).trusted()
    assert (chain.seq, chain.torn) == (1, b"")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)


def test_a_symlink_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine\n")
    (tmp_path / "journal.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FailedError, match="cannot be used"):
        Journal(tmp_path).append("test", {})
    assert (tmp_path / "elsewhere").read_text() == "mine\n"


def test_no_secret_gets_into_it(tmp_path: Path) -> None:
    Secret("correct-horse-battery")
    journal = Journal(tmp_path)
    journal.append(
        "test",
        {
            "why": "password=hunter2hunter2",
            "deep": [{"sk_live_51abcdefghijklmnop": "it was correct-horse-battery"}],
        },
    )
    text = journal.path.read_text()
    for secret in ("hunter2", "51abcdefghijkl", "correct-horse"):
        assert secret not in text
    assert journal.read().broken is None


def test_no_room_is_told_before_anything(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="is full"):
        Journal(tmp_path).prepare(10**12)


def test_a_file_of_others_becomes_private(tmp_path: Path) -> None:
    journal = written(tmp_path)
    journal.path.chmod(0o644)
    journal.append("test", {})
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
