"""Keys in the logs that the configuration names."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from payops.domain.deadline import Deadline
from payops.domain.result import CheckResult
from payops.engine import keys_exposed
from payops.engine.keys_exposed import NEWEST, exposed, listed
from payops.keys.scan_files import Part, Scanned
from payops.keys.scan_findings import Findings
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_skip,
    assert_typeable,
    assert_unknown,
    settings,
)

BODY = "51Nq8WkLz0HvTb7RcYp4XsJd2"
OURS = f"sk_test_{BODY}"
SIGNS = "whsec_9fKq2VbT7mXcR4zLwP0sHdJ1yN6gAe3u"


def looked(*logs: Path | str, seconds: float = 5) -> CheckResult:
    made = settings(
        environment="staging",
        stripe={"secret_key": OURS, "webhook_secrets": [SIGNS]},
        keys={"logs": [str(one) for one in logs]},
    )
    return exposed(made, Deadline.after(seconds), NOW)


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("INFO order 17 taken", "OK", "none in 20 B of 1 log"),
        (f"key {OURS}", "CRIT", "stripe.secret_key sk_test_…XsJd2"[:26]),
        (f"secret {SIGNS}", "CRIT", "stripe.webhook_secrets[0] whsec_…"),
        ("key sk_live_" + BODY[::-1], "CRIT", "live key sk_live_…"),
        ("key rk_live_" + BODY[::-1], "CRIT", "live key rk_live_…"),
        ("key sk_test_" + BODY[::-1], "WARN", "test key sk_test_…"),
        ("key pk_live_" + BODY[::-1], "OK", "none in"),
        ("secret whsec_" + "4zLwP0sHdJ1yN6gAe3u9fKq2VbT7mXcR", "WARN", "webhook secret whsec_…"),
        ("card 4111 1111 1111 1111", "OK", "none in"),  # of Stripe's test numbers
        ("card 4539 5787 6362 1486", "WARN", "card number"),
    ],
)
def test_what_is_found(tmp_path: Path, line: str, status: str, words: str) -> None:
    log = tmp_path / "app.log"
    log.write_text(line + "\n")
    result = looked(log)
    assert_is(status, result, words)
    if status in ("WARN", "CRIT"):
        assert f"stands in {log}:1" in result.summary
        assert result.actions[0].command == f"payops keys scan {log}"
        assert_typeable(result.actions[0].command)
    shown = repr(result)
    assert BODY not in shown
    assert BODY[::-1] not in shown
    assert SIGNS not in shown


def test_the_worst_is_named_first_and_the_others_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"sk_test_{BODY[::-1]}\n" * 9)
    (tmp_path / "b.log").write_text(f"x\n{OURS}\n{OURS}\n")
    result = looked(tmp_path / "*.log")
    assert_crit(result, "stripe.secret_key", "b.log:2, 2 times", "; and 1 more")
    assert [one.what.partition(" ")[0] for one in result.evidence] == ["stripe.secret_key", "test"]
    assert result.measured["count"] == 2


def test_no_logs_are_named() -> None:
    assert_skip(looked(), "keys.logs")


def test_of_a_large_log_the_newest_part_is_read(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("wb") as file:
        file.write(f"{OURS}\n".encode())
        file.seek(NEWEST + 4096)
        file.write(b"\nthe end\n")
    assert_ok(looked(log), "none in 16.8 MB of 1 log")
    with log.open("ab") as file:
        file.write(f"{OURS}\n".encode())
    assert_crit(looked(log), "app.log+0x")


def test_which_logs_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "logs[1]"  # no glob, since it is there
    folder.mkdir()
    for number in range(4):
        log = folder / f"{number}.log"
        log.write_text("quiet\n")
        os.utime(log, (1_000_000 + number, 1_000_000 + number))
    (folder / "0.log.gz").write_bytes(gzip.compress(b"old"))
    found = listed([str(folder), str(folder / "3.log"), str(tmp_path / "*" / "none*")])
    assert [Path(part.path).name for part in found.parts] == ["3.log", "2.log", "1.log", "0.log"]
    assert (found.packed, found.left_out) == (1, 0)
    assert found.troubles == (f"{tmp_path}/*/none* names no file",)
    monkeypatch.setattr(keys_exposed, "MOST_FILES", 3)
    assert listed([str(folder)]).left_out == 1
    monkeypatch.setattr(keys_exposed, "MOST", 12)
    result = looked(folder)
    assert_ok(result, "none in 12 B of 2 logs")
    assert [one.what.partition(" logs")[0] for one in result.evidence] == ["2 older", "1 packed"]


def late(part: Part, read: int = 0) -> Scanned:
    """What comes of a part for which there was no time, or too little."""
    failure = f"not read{' to its end' if read else ''}: the deadline came first"
    return Scanned(part, Findings(b"salt"), read=read, failure=failure)


def test_a_log_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "app.log"
    log.write_text("quiet\n")
    monkeypatch.setattr(keys_exposed, "scanned", lambda parts, *_: [late(parts[0], 3)])
    result = looked(log)
    assert_ok(result, "none in 3 B of 1 log")
    assert "not read to its end" in result.evidence[0].what


def test_what_cannot_be_looked_at_is_no_good_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = tmp_path / "quiet.log"
    quiet.write_text("quiet\n")
    missing = tmp_path / "app.log"
    assert_unknown(looked(quiet, missing), "1 not looked at, ", "app.log names no file")
    os.mkfifo(missing)
    assert_unknown(looked(quiet, missing), "app.log: is no file")
    assert_unknown(looked(quiet, seconds=0), "could not be listed in time")
    quiet.write_text("quiet\n" * 99)
    monkeypatch.setattr(keys_exposed, "scanned", lambda parts, job, lanes, _: map(late, parts))
    assert_unknown(looked(quiet), f"{quiet}: not read: the deadline came first")
    monkeypatch.undo()
    # What was found is told all the same, with what was not looked at.
    quiet.write_text(OURS)
    result = looked(quiet, missing)
    assert_crit(result, "quiet.log:1")
    assert "is no file" in result.evidence[0].what
