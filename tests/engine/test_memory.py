"""The memory between runs, on a real disk: whole, private, safe with two runs at once."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payops.checks.contract import Earlier
from payops.domain.change import Kind
from payops.domain.evidence import Scalar
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.engine import memory
from payops.engine.memory import Memory, NotRememberedError
from payops.engine.whole_file import write_whole

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)


def a_report(
    status: Status = Status.CRIT, minute: int = 0, *, command: str = "health", id_: str = "a.b"
) -> Report:
    at = NOW + timedelta(minutes=minute)
    return Report(command, at, "production", (CheckResult(status, "x", id=id_),))


def kinds(path: Path, report: Report) -> list[Kind]:
    return [one.kind for one in Memory(path).compare(report, telling=False).changes]


def test_new_persisting_resolved(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert kinds(path, a_report()) == [Kind.NEW]
    assert kinds(path, a_report(minute=1)) == [Kind.PERSISTING]
    assert kinds(path, a_report(Status.OK, 2)) == [Kind.RESOLVED]
    assert kinds(path, a_report(Status.OK, 3)) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {one.name for one in tmp_path.iterdir()} == {"state", ".state.lock"}


def test_commands_and_environments_share_a_file_and_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert kinds(path, a_report()) == [Kind.NEW]
    assert kinds(path, a_report(command="reconcile")) == [Kind.NEW]
    assert kinds(path, a_report(minute=1)) == [Kind.PERSISTING]


def test_what_a_whole_run_leaves_out_is_resolved_once_everybody_answered(tmp_path: Path) -> None:
    kept = Memory(tmp_path / "state")
    kept.compare(a_report(id_="cause.one"), telling=False)
    silent = a_report(Status.CRIT, 1, id_="stripe.down")
    assert [c.kind for c in kept.compare(silent, telling=False, whole=True).changes] == [Kind.NEW]
    calm = a_report(Status.OK, 2, id_="stripe.down")
    resolved = kept.compare(calm, telling=True, whole=True)
    assert {c.id: c.kind for c in resolved.changes} == {
        "stripe.down": Kind.RESOLVED, "cause.one": Kind.RESOLVED
    }  # fmt: skip


def test_a_run_that_began_earlier_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state"
    kinds(path, a_report(minute=2))
    before = path.read_text()
    assert kinds(path, a_report(Status.OK, 1)) == [Kind.RESOLVED]
    assert path.read_text() == before


def test_a_clock_that_was_put_back_does_not_stop_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "state"
    kinds(path, a_report(minute=600))
    kinds(path, a_report(minute=1))
    assert kinds(path, a_report(Status.OK, 2)) == [Kind.RESOLVED]
    assert kinds(path, a_report(Status.OK, 3)) == []


def test_a_check_that_nobody_asks_any_more_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "state"
    kinds(path, a_report(id_="old.one"))
    kinds(path, a_report(minute=31 * 24 * 60))
    assert "old.one" not in path.read_text()


# ── what can be wrong with the file ──────────────────────────────────────────────────────────────

OURS = '{"payops_memory": 1, "jobs": '


@pytest.mark.parametrize(
    "content",
    [
        OURS,
        OURS + "[]}",
        OURS + '{"production health": {}}}',
        OURS + '{"production health": {"at": "yesterday", "sending": null, "checks": {}}}}',
        OURS + '{"production health": {"at": "2026-02-11T09:00", "sending": null, "checks": {}}}}',
        OURS + '{"j": {"at": null, "sending": null, "checks": {"a.b": {"status": "BAD"}}}}}',
        OURS + "[" * 100_000,
        OURS + '{"j": {"at": null, "sending": null, "checks": {}, "readings": {"a.b": 1}}}}',
        '{"payops_memory": "one", "jobs": {}}',
        OURS + '"\ud800"}'.encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
)
def test_a_broken_memory_is_begun_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state"
    path.write_text(content)
    compared = Memory(path).compare(a_report(), telling=False)
    assert [one.kind for one in compared.changes] == [Kind.NEW]
    assert "begun anew" in compared.note
    assert kinds(path, a_report(minute=1)) == [Kind.PERSISTING]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
    | st.sampled_from(["CRIT", "0001-01-01T00:00+14:00", "2026-02-11T09:00:00+00:00"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(
        st.sampled_from(["at", "sending", "checks", "a.b", "status", "since", "seen", "recent"]),
        inside,
    ),
    max_leaves=12,
)  # fmt: skip
entries = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["CRIT", "OK", "?"]),
        "since": json_values,
        "seen": st.sampled_from(["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-01:00", ""]),
        "recent": st.lists(st.sampled_from(["OK", "CRIT"]), max_size=40),
        "flapping": json_values,
        "told": st.sampled_from(["OK", "FLAPPING", "x"]),
    }
)
jobs_written = json_values | st.fixed_dictionaries(
    {
        "at": st.sampled_from([None, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59+00:00"]),
        "sending": st.sampled_from([None, "9999-12-31T23:59:59-14:00"]),
        "checks": st.dictionaries(st.just("a.b"), entries | json_values),
    }
)


@settings(max_examples=80, deadline=None)
@given(jobs_written)
def test_whatever_stands_in_the_memory_a_run_goes_on(job: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        path.write_text(json.dumps({"payops_memory": 1, "jobs": {"production health": job}}))
        compared = Memory(path).compare(a_report(), telling=True, whole=True)
        assert [one.id for one in compared.changes] == ["a.b"]
        assert kinds(path, a_report(minute=1))


@pytest.mark.parametrize("content", ["", "\n", "   "])
def test_an_empty_file_is_a_new_memory(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state"
    path.write_text(content)
    assert Memory(path).compare(a_report(), telling=False).note == ""


@pytest.mark.parametrize("content", ["stripe: {secret_key: x}\n", "{}", "\x00\xff", "x" * 1000])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "payops.yaml"
    path.write_text(content)
    with pytest.raises(NotRememberedError, match="is no memory of payops"):
        kinds(path, a_report())
    assert path.read_text() == content


def test_a_memory_of_a_later_payops_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text('{"payops_memory": 2, "jobs": {}}')
    with pytest.raises(NotRememberedError, match="later payops"):
        kinds(path, a_report())
    assert path.read_text() == '{"payops_memory": 2, "jobs": {}}'


@pytest.mark.parametrize("place", ["missing/state", "folder", "/dev/null", "/proc/nothing/here"])
def test_a_place_that_holds_no_file_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotRememberedError):
        kinds(tmp_path / place, a_report())


def test_a_pipe_without_end_is_no_memory(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state")
    assert Memory(tmp_path / "state").readings("health", "production") == {}
    with pytest.raises(NotRememberedError, match="is not a file"):
        kinds(tmp_path / "state", a_report())


def test_a_number_without_end_is_no_reading(tmp_path: Path) -> None:
    path = tmp_path / "state"
    measured = {"bytes": 10**4000, "rows": -(10**400), "share": 0.5, "count": 10**18}
    reading = {"postgres.size": {"as_of": "2026-02-11T09:00:00+00:00", "measured": measured}}
    job = {"at": None, "sending": None, "checks": {}, "readings": reading}
    path.write_text(json.dumps({"payops_memory": 1, "jobs": {"production health": job}}))
    kept = Memory(path).readings("health", "production")["postgres.size"].measured
    assert kept == {"share": 0.5, "count": 10**18}


def test_a_link_that_somebody_else_laid_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "bashrc"
    own.write_text("mine")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "state").symlink_to(own)
    inner = tmp_path / "inner"
    inner.symlink_to(shared / "state")  # our own link, to theirs
    # As another user sees it: the link is neither theirs nor of whoever owns the folder.
    owner, real = os.lstat(own).st_uid, Path.stat
    a_tmp = os.stat_result((0o41777, 0, 0, 1, owner + 2, 0, 0, 0, 0, 0))
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr(Path, "stat", lambda at, **kw: a_tmp if at == shared else real(at, **kw))
    for path in (shared / "state", inner):
        with pytest.raises(OSError, match="another user laid"):
            write_whole(path, "theirs", 0o644)
        with pytest.raises(NotRememberedError, match="another user laid"):
            kinds(path, a_report())
    assert own.read_text() == "mine"
    assert {one.name for one in tmp_path.iterdir()} == {"bashrc", "shared", "inner"}


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert kinds(link, a_report()) == [Kind.NEW]
    assert kinds(link, a_report(minute=1)) == [Kind.PERSISTING]
    assert link.is_symlink()


def test_who_holds_the_lock_for_ever_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_LOCK_S", 0.1)
    held = os.open(tmp_path / ".state.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(NotRememberedError, match="another run holds it"):
            kinds(tmp_path / "state", a_report())
    finally:
        os.close(held)


# ── two runs at once ─────────────────────────────────────────────────────────────────────────────

CHILD = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.engine.memory import Memory
path, number = Path(sys.argv[1]), int(sys.argv[2])
for n in range(15):
    result = CheckResult(Status.CRIT, "x", id=f"of.{number}")
    report = Report(f"command{number}", datetime.now(UTC), "production", (result,))
    Memory(path).compare(report, telling=False)
"""


def test_many_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state"
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(number)])
        for number in range(4)
    ]
    assert [child.wait(60) for child in children] == [0] * 4
    jobs = json.loads(path.read_text())["jobs"]
    assert {len(job["checks"][f"of.{n}"]["recent"]) for n, job in enumerate(
        jobs[f"production command{n}"] for n in range(4)
    )} == {15}  # fmt: skip
    assert len(list(tmp_path.iterdir())) == 2, "a file of a run was left lying"


def test_of_two_runs_at_once_one_tells(tmp_path: Path) -> None:
    path = tmp_path / "state"
    told: list[object] = []
    together = threading.Barrier(8)

    def run() -> None:
        together.wait()
        report = Report("health", datetime.now(UTC), "p", (CheckResult(Status.CRIT, "x", id="a"),))
        compared = Memory(path).compare(report, telling=True)
        if compared.to_tell:
            told.append(compared)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1


# ── telling ──────────────────────────────────────────────────────────────────────────────────────


def now_report(status: Status) -> Report:
    return Report("health", datetime.now(UTC), "p", (CheckResult(status, "x", id="a.b"),))


def test_what_was_told_is_not_told_again(tmp_path: Path) -> None:
    kept = Memory(tmp_path / "state")
    for status, words in (
        (Status.CRIT, {"a.b": "CRIT"}),
        (Status.CRIT, {}),
        (Status.WARN, {"a.b": "WARN"}),
        (Status.OK, {"a.b": "OK"}),
        (Status.SKIP, {}),
    ):
        report = now_report(status)
        compared = kept.compare(report, telling=True)
        assert compared.to_tell == words
        if words:
            kept.told(report, compared)


def test_what_could_not_be_told_is_told_by_the_next_run(tmp_path: Path) -> None:
    kept = Memory(tmp_path / "state")
    report = now_report(Status.CRIT)
    assert kept.compare(report, telling=True).to_tell
    kept.not_told(report)
    assert kept.compare(now_report(Status.CRIT), telling=True).to_tell == {"a.b": "CRIT"}


def test_a_run_that_died_while_telling_is_waited_for_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Memory(tmp_path / "state")
    assert kept.compare(now_report(Status.CRIT), telling=True).to_tell
    assert not kept.compare(now_report(Status.CRIT), telling=True).to_tell
    monkeypatch.setattr(memory, "_CLAIM", timedelta(0))
    assert kept.compare(now_report(Status.CRIT), telling=True).to_tell


# ── what was measured, for the rates of the next run ─────────────────────────────────────────────


def measuring(minute: float, **measured: Scalar) -> Report:
    at = NOW + timedelta(minutes=minute)
    result = CheckResult(Status.OK, "x", id="postgres.size", as_of=at, measured=measured)
    return Report("health", at, "production", (result,))


def test_what_was_measured_is_there_for_the_next_run_of_the_same_job(tmp_path: Path) -> None:
    kept = Memory(tmp_path / "state")
    assert kept.readings("health", "production") == {}
    kept.compare(measuring(0, bytes=7, share=1.5, name="x" * 9, on=True, no=None), telling=False)
    found = kept.readings("health", "production")
    assert found == {"postgres.size": Earlier(NOW, {"bytes": 7, "share": 1.5})}
    assert kept.readings("health", "staging") == kept.readings("reconcile", "production") == {}
    kept.compare(measuring(1, request_id="req_1"), telling=False)  # it did not answer
    assert kept.readings("health", "production") == found
    kept.compare(measuring(2, bytes=float("nan")), telling=False)
    assert kept.readings("health", "production") == found
    kept.compare(measuring(3, bytes=9), telling=False)
    assert kept.readings("health", "production")["postgres.size"].measured == {"bytes": 9}


def test_runs_a_moment_apart_still_have_something_to_compare_with(tmp_path: Path) -> None:
    kept = Memory(tmp_path / "state")
    for second in range(9):
        kept.compare(measuring(second / 60, bytes=second), telling=False)
    assert kept.readings("health", "production")["postgres.size"].measured == {"bytes": 5}


def test_a_memory_of_before_there_were_readings_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state"
    kinds(path, a_report())
    document = json.loads(path.read_text())
    del document["jobs"]["production health"]["readings"]
    path.write_text(json.dumps(document))
    assert Memory(path).readings("health", "production") == {}
    assert kinds(path, a_report(minute=1)) == [Kind.PERSISTING]


def test_no_usable_memory_has_no_readings(tmp_path: Path) -> None:
    (tmp_path / "else").write_text("somebody's")
    for path in (tmp_path / "else", tmp_path, tmp_path / "none"):
        assert Memory(path).readings("health", "production") == {}
