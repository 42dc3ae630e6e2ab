"""`--state FILE`: what a job remembers of its checks from one run to the next.

    {"payops_memory": 1, "jobs": {"production health": {"at": "...Z", "sending": null,
      "checks": {"circuit.state": {"status": "CRIT", "since": "...Z", ...}},
      "readings": {"postgres.size": {"as_of": "...Z", "measured": {"bytes": 7706303}}}}}}

Mode 0600, replaced whole. Two runs at once are kept apart by a lock beside the file, held for the
moment of comparing alone; a run that began before the one that is remembered changes nothing.
No text from outside is in it but the ids of checks.

Who is to be told is claimed before the message is sent and confirmed after it: a message that
could not be sent is tried again by the next run, and two runs at once send one.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payops.domain.change import FLAPPING, Change, Remembered, compare, untold
from payops.domain.duration import utc_text
from payops.domain.status import Status
from payops.engine import earlier
from payops.engine.whole_file import refuse_a_strangers_link, write_whole
from payops.errors import PayopsError

if TYPE_CHECKING:
    from payops.domain.report import Report

VERSION = 1
_MARK = "payops_memory"
_MOST_BYTES = 8 * 1024 * 1024
_LOCK_S = 2.0
# A run that claimed to send and did not say how it went is dead: the notifier has 15 s.
_CLAIM = timedelta(seconds=60)
# A check that no run has asked for so long is gone from the configuration.
_FORGOTTEN = timedelta(days=30)
# Under these, a check that is missing was not left out because its source was down.
_NOBODY_SILENT = frozenset({Status.OK, Status.WARN})
_AHEAD = timedelta(minutes=5)  # the clock was put back: what is remembered is no later run


@dataclass
class Job:
    """What is remembered of one command in one environment."""

    at: datetime | None = None
    sending: datetime | None = None
    checks: dict[str, Remembered] = field(default_factory=dict)
    readings: earlier.Readings = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """`changes` since the run before; `to_tell` what this run has to tell people: ids, with the
    word for each (a status, FLAPPING). `note` says what was wrong with the memory."""

    changes: tuple[Change, ...]
    to_tell: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class NotRememberedError(PayopsError):
    """The memory cannot be read or written. It never changes a run's result."""


class Memory:
    """The memory in `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def readings(self, command: str, environment: str) -> earlier.Readings:
        """What the run before measured, by the id of the check; none where nothing usable is
        remembered, which `compare` tells. The file is replaced whole, so that no lock is needed."""
        try:
            jobs, _ = self._read()
        except (OSError, NotRememberedError):
            return {}
        job = jobs.get(_job_name(environment, command))
        return job.readings if job else {}

    def compare(self, report: Report, *, telling: bool, whole: bool = False) -> Compared:
        """Hold the report against the run before, and remember it.

        `telling`: what there is to tell is claimed; `told` or `not_told` must follow. `whole`: the
        command was not asked for a part, so that what it does not name any more is well (unless
        something may not have answered). Raises NotRememberedError.
        """
        whole = whole and report.status in _NOBODY_SILENT
        with self._jobs() as (jobs, note):
            job = jobs.setdefault(_name(report), Job())
            now = report.generated_at
            after, changes = compare(job.checks, report.checks, now, whole=whole)
            if job.at is not None and now < job.at <= now + _AHEAD:
                return Compared(changes, note=note)
            job.at = now
            job.checks = {id_: one for id_, one in after.items() if one.seen > now - _FORGOTTEN}
            kept = earlier.readings(job.readings, report.checks)
            job.readings = {id_: one for id_, one in kept.items() if id_ in job.checks}
            claimed = job.sending is not None and now - _CLAIM < job.sending <= now + _AHEAD
            to_tell = untold(job.checks, report.checks, now) if telling and not claimed else {}
            if to_tell:
                job.sending = datetime.now(UTC)
            return Compared(changes, to_tell, note)

    def told(self, report: Report, compared: Compared) -> None:
        """People know now. Raises NotRememberedError."""
        with self._jobs() as (jobs, _):
            job = jobs.setdefault(_name(report), Job())
            job.sending = None
            # A later run may have seen something else since; that is still to be told.
            for id_ in compared.to_tell.keys() & job.checks.keys():
                job.checks[id_] = replace(job.checks[id_], told=compared.to_tell[id_])

    def not_told(self, report: Report) -> None:
        """The message could not be sent: the next run tells it. Raises NotRememberedError."""
        with self._jobs() as (jobs, _):
            jobs.setdefault(_name(report), Job()).sending = None

    @contextmanager
    def _jobs(self) -> Iterator[tuple[dict[str, Job], str]]:
        """What the file holds, to be changed and written back at the end; what was wrong."""
        try:
            refuse_a_strangers_link(self._path)
            with _locked(self._path):
                jobs, note = self._read()
                yield jobs, note
                write_whole(self._path, _text(jobs), 0o600)
        except OSError as error:
            raise NotRememberedError(
                f"{self._path}: {error.strerror or error}", hint="see --state"
            ) from error

    def _read(self) -> tuple[dict[str, Job], str]:
        try:
            # A pipe that somebody laid there would never give an end.
            number = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}, ""
        with open(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise OSError(None, "is not a file")
            content = file.read(_MOST_BYTES + 1)
        if not content.strip():
            return {}, ""  # made by `touch`, or by a disk that was full
        # A file that is none of ours is somebody's: a mistyped --state must not cost it.
        if _MARK.encode() not in content[:64]:
            raise NotRememberedError(
                f"{self._path} is no memory of payops, and is left as it is",
                hint="name another file, or delete it",
            )
        try:
            if len(content) > _MOST_BYTES:
                raise ValueError("too large")
            return _jobs_in(json.loads(content)), ""
        except NewerError as error:
            raise NotRememberedError(str(error), hint="delete it to begin anew") from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return {}, f"{self._path} was broken and is begun anew: everything wrong is new"


class NewerError(ValueError):
    """The memory was written by a later payops."""


def _name(report: Report) -> str:
    return _job_name(report.environment, report.command)


def _job_name(environment: str, command: str) -> str:
    return f"{environment} {command}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Nobody else compares meanwhile. The lock's file stays: whoever deletes one deletes another's
    lock."""
    lock = path.resolve().with_name(f".{path.name}.lock")
    number = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        ends = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise OSError(None, "another run holds it") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(number)


def _text(jobs: Mapping[str, Job]) -> str:
    document = {
        _MARK: VERSION,
        "jobs": {
            name: {
                "at": _moment(job.at),
                "sending": _moment(job.sending),
                "checks": {id_: _written(one) for id_, one in job.checks.items()},
                "readings": earlier.written(job.readings),
            }
            for name, job in jobs.items()
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _written(one: Remembered) -> dict[str, object]:
    return {
        "status": one.status.value,
        "since": one.since.isoformat(),
        "seen": one.seen.isoformat(),
        "recent": [status.value for status in one.recent],
        "flapping": one.flapping,
        "told": one.told,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _jobs_in(document: Any) -> dict[str, Job]:
    if document[_MARK] > VERSION:
        raise NewerError(f"the memory is of a later payops (version {document[_MARK]})")
    return {
        str(name): Job(
            at=_time(job["at"]) if job["at"] else None,
            sending=_time(job["sending"]) if job["sending"] else None,
            checks={str(id_): _remembered(one) for id_, one in job["checks"].items()},
            readings=earlier.read(job.get("readings", {})),
        )
        for name, job in document["jobs"].items()
    }


def _remembered(one: Any) -> Remembered:
    told = str(one["told"])
    if told != FLAPPING:
        told = Status(told).value
    return Remembered(
        status=Status(one["status"]),
        since=_time(one["since"]),
        seen=_time(one["seen"]),
        recent=tuple(Status(word) for word in one["recent"]),
        flapping=one["flapping"] is True,
        told=told,
    )


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{utc_text(moment)} has no zone")
    return moment.astimezone(UTC)
