"""Files as they lie about: packed, cut, strange, hostile; and processes that end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import multiprocessing
import os
import signal
import zlib
from pathlib import Path

import pytest

from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.engine.scan import ScanOptions, scan
from payops.keys import scan_files, scan_lanes
from payops.keys.ignore import read_rules
from payops.keys.scan_files import walked
from payops.keys.scan_findings import Findings, Place
from payops.keys.scan_window import Window

KEY = "sk_live_51NcXyZAbCdEfGh7jKlMnOpQr"
LINE = f"one\ntwo {KEY}\n".encode()


def run(*paths: Path | str, seconds: float = 30, **options: object) -> Report:
    given = ScanOptions(tuple(map(str, paths)), **options)  # type: ignore[arg-type]
    return scan(Settings(), given, Deadline.after(seconds))


def check(report: Report, name: str) -> CheckResult:
    return next(each for each in report.checks if each.id == f"scan.{name}")


def places(report: Report) -> list[str]:
    return sorted(str(row[2]) for row in report.tables[0].rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.log", LINE),
        ("app.log.gz", gzip.compress(LINE, mtime=0)),
        ("rotated.1", gzip.compress(b"one\n", mtime=0) + gzip.compress(LINE[4:], mtime=0)),
        ("app.log.bz2", bz2.compress(LINE)),
        ("app.log.xz", lzma.compress(LINE)),
        ("windows.log", LINE.decode().encode("utf-16")),
    ],
)
def test_packed_and_wide_files_give_the_line(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    report = run(path)
    assert places(report) == [f"{path}:2"]
    assert report.status is Status.CRIT


def test_a_binary_file_gives_the_offset(tmp_path: Path) -> None:
    path = tmp_path / "core"
    path.write_bytes(b"\0\1\2\n" * 4 + KEY.encode() + b"\0")
    assert places(run(path)) == [f"{path}+0x10"]


def test_a_packed_file_that_ends_too_early_is_told_with_what_it_gave(tmp_path: Path) -> None:
    path = tmp_path / "now.log.gz"
    path.write_bytes(gzip.compress(LINE + os.urandom(9000).hex().encode())[:-2000])
    report = run(path)
    assert places(report) == [f"{path}:2"]
    assert check(report, "coverage").status is Status.UNKNOWN
    assert "ends in the middle" in check(report, "coverage").evidence[0].what


@pytest.mark.parametrize("content", [b"\x1f\x8bnonsense", b"BZhnonsense", b"\xfd7zXZ\x00nonsense"])
def test_what_cannot_be_unpacked_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert check(run(tmp_path), "coverage").status is Status.UNKNOWN


def test_xz_in_streams_with_padding_between(tmp_path: Path) -> None:
    path = tmp_path / "rotated.xz"
    path.write_bytes(lzma.compress(b"one\n") + b"\0" * 20_000 + lzma.compress(LINE[4:]) + b"\0" * 4)
    report = run(path)
    assert places(report) == [f"{path}:2"]
    assert report.status is Status.CRIT


def test_an_xz_file_that_asks_for_gigabytes_of_memory_is_told(tmp_path: Path) -> None:
    packed = bytearray(lzma.compress(LINE, preset=0))
    size = (packed[12] + 1) * 4  # of the block's header: its flags, filter 0x21, 1, the dictionary
    block = packed[12 : 12 + size]
    block[block.index(0x21) + 2] = 37  # 1.5 GB
    block[-4:] = zlib.crc32(bytes(block[:-4])).to_bytes(4, "little")
    packed[12 : 12 + size] = block
    assert lzma.decompress(bytes(packed)) == LINE  # it is sound, and only hungry
    (tmp_path / "x.xz").write_bytes(bytes(packed))
    result = check(run(tmp_path), "coverage")
    assert result.status is Status.UNKNOWN
    assert "too much memory" in result.evidence[0].what


def test_a_huge_file_of_holes_is_few_pieces_of_work(tmp_path: Path) -> None:
    path = tmp_path / "holes"
    with path.open("wb") as file:
        file.truncate(1 << 43)  # 8 TiB, and nothing on the disk
    parts = walked([str(path)]).parts
    assert len(parts) <= 4096
    assert [part.end for part in parts[:-1]] == [part.begin for part in parts[1:]]
    assert (parts[0].begin, parts[-1].end) == (0, None)


def test_names_of_numbers_that_are_no_cards_are_counted_in_bounded_memory() -> None:
    findings = Findings(b"salt")
    text = b"".join(b"order_id_%s=4485275742308327\n" % name for name in _names(3000))
    for hit in Window().whole(text):
        findings.add(hit, Place(hit.start))
    assert sum(findings.others.values()) == 3000
    assert len(findings.others) <= 1001


def _names(count: int) -> list[bytes]:
    letters = b"abcdefghijklmnopqrstuvwxyz"
    return [
        bytes(letters[number // 26**place % 26] for place in range(4)) for number in range(count)
    ]


def test_zip_and_zstd_are_never_taken_for_scanned(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "a.zst").write_bytes(b"\x28\xb5\x2f\xfdrest")
    result = check(run(tmp_path), "coverage")
    assert result.status is Status.UNKNOWN
    assert result.measured["failures"] == 2


def test_links_and_devices_are_left_out_and_told(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(LINE)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    report = run(folder)
    assert places(report) == []
    walk = walked([str(folder)])
    assert (walk.links, walk.special) == (2, 1)
    assert places(run(folder / "link")) == [f"{folder / 'link'}:2"]  # named itself


def test_a_missing_file_is_unknown_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(LINE)
    report = run(tmp_path / "gone", tmp_path / "x")
    assert len(places(report)) == 1
    assert "gone" in check(report, "coverage").evidence[0].what
    assert report.status is Status.CRIT
    assert run(tmp_path / "gone").status is Status.UNKNOWN


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_rights_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(LINE)
    path.chmod(0)
    assert run(path).status is Status.UNKNOWN


def test_nothing_found_says_how_much_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing\n" * 1000)
    report = run(tmp_path)
    assert report.status is Status.OK
    assert check(report, "keys").summary.startswith("none in 1 file, 8.0 kB in ")
    (tmp_path / "x").unlink()
    assert run(tmp_path).status is Status.UNKNOWN


def test_hostile_names_are_masked(tmp_path: Path) -> None:
    (tmp_path / f"a\x1b[2J {KEY}.log").write_bytes(LINE)
    (tmp_path / os.fsdecode(b"b\xff4539578763621486 x")).write_bytes(LINE)
    text = repr(run(tmp_path))
    assert KEY not in text
    assert "4539578763621486" not in text


def test_one_file_given_twice_is_scanned_once(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(LINE)
    os.link(path, tmp_path / "y")
    assert len(places(run(path, tmp_path, tmp_path))) == 1


def test_old_files_below_folders_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(LINE)
    os.utime(path, (1000, 1000))
    assert places(run(tmp_path, since=2000.0)) == []
    assert places(run(path, since=2000.0)) == [f"{path}:2"]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_parts_and_processes_give_the_same(
    tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_files, "PART", 5000)
    monkeypatch.setattr(scan_lanes, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr("payops.engine.scan.WORTH_A_PROCESS", 1)
    path = tmp_path / "x"
    lines = [f"line {n} sk_live_51NcXyZAbCdEfGh7jK{n:05}" for n in range(1, 1001)]
    path.write_text("\n".join(lines))
    report = run(path, jobs=jobs, limit=None)
    assert {str(row[2]).rpartition(":")[2] for row in report.tables[0].rows} == {
        str(n) for n in range(1, 1001)
    }
    assert check(report, "keys").measured["live_keys"] == 1000
    assert check(report, "coverage").measured["bytes"] == path.stat().st_size


def test_the_deadline_is_kept_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payops.engine.scan.WORTH_A_PROCESS", 1)
    for name in "abc":
        (tmp_path / name).write_bytes(LINE)
    report = run(tmp_path, seconds=0.0, jobs=2)
    assert report.status is Status.UNKNOWN
    assert check(report, "coverage").measured["failures"] == 3


def test_a_worker_that_dies_is_told_and_none_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payops.engine.scan.WORTH_A_PROCESS", 1)

    def dies(part: scan_files.Part, *_: object) -> None:
        if part.path.endswith("bad"):
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("fault")

    monkeypatch.setattr(scan_lanes, "scan_part", dies)
    (tmp_path / "bad").write_bytes(LINE)
    (tmp_path / "good").write_bytes(LINE)
    told = [each.what for each in check(run(tmp_path, jobs=2), "coverage").evidence]
    assert sum("died" in each for each in told) == 1
    assert sum("fault of payops" in each for each in told) == 1
    assert not multiprocessing.active_children()


# ── the ignore file ──────────────────────────────────────────────────────────────────────────────


def test_rules_hold_by_all_their_conditions_and_unused_ones_are_told(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text(f"{KEY}\nmembership=4539578763621486\ncard 5425233430109903\n")
    rules = tmp_path / "ignore"
    rules.write_text(
        "# comment\n\n"
        "path=*/x.log kind=live-key  # rotated\n"
        "kind=card field=membership\n"
        "kind=card last4=0000\n"
        "fingerprint=00000000\n"
    )
    report = run(log, rules=read_rules(str(rules)))
    assert [row[3] for row in report.tables[0].rows] == ["mastercard …9903"]
    coverage = check(report, "coverage")
    assert coverage.measured["ignored"] == 2
    assert sum("held for nothing" in each.what for each in coverage.evidence) == 2


def test_a_fingerprint_of_the_report_is_one_of_a_rule(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text(KEY)
    printed = run(log).tables[0].rows[0][6]
    rules = tmp_path / "ignore"
    rules.write_text(f"fingerprint={printed}\n")
    assert run(log, rules=read_rules(str(rules))).status is Status.OK


@pytest.mark.parametrize("line", ["nonsense", "kind=nonsense", "path=", "colour=red", "path='x"])
def test_a_wrong_rule_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    from payops.errors import UsageError

    rules = tmp_path / "ignore"
    rules.write_text(f"# first\n{line}\n")
    with pytest.raises(UsageError, match="ignore:2"):
        read_rules(str(rules))
