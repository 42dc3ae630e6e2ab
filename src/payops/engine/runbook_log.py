"""A run in the journal: each step when it is over, so that nothing is lost but the step one is at.

An entry of the kind `runbook` has `event` (begin, resume, step, note, back, applying, end), the
run's id, and where it applies `next`: the place at which a resumed run goes on.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from payops.domain.duration import utc_text
from payops.domain.money import MoneyAtRisk
from payops.domain.runbook import OUTCOMES, Kind
from payops.domain.runbook_run import Note, Place, Run, Taken
from payops.domain.status import Status
from payops.engine.journal import Journal
from payops.engine.journal_chain import Entry
from payops.errors import FailedError, RefusedError

KIND = "runbook"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # it names a folder
_LONGEST_S = 366 * 86_400


class RunLog:
    """Writes one run down. Where the journal cannot be used that is told once, and the run goes on:
    a full disk is no reason to leave a person without the next step. Nothing can be changed then,
    since `payops apply` needs the journal too."""

    def __init__(self, journal: Journal, run: str, tell: Callable[[str], None]) -> None:
        self.journal = journal
        self._run = run
        self._tell = tell
        self._silent = False
        self._lock: int | None = None

    def begin(self, run: Run) -> None:
        """The run is under way."""
        self._write(
            "begin",
            {
                "runbook": run.runbook,
                "operator": run.who,
                "began": run.began.isoformat(),
                "auto": run.auto,
                "parameters": dict(run.parameters),
            },
            run.place,
        )

    def resume(self, run: Run, who: str) -> None:
        """Somebody, perhaps somebody else, goes on with it."""
        self._write("resume", {"runbook": run.runbook, "operator": who})

    def step(self, taken: Taken, after: Place) -> int:
        """A step is over; its entry's number, 0 where nothing could be written."""
        return self._write("step", _told(taken), after)

    def note(self, note: Note) -> None:
        """Somebody wrote something down."""
        self._write("note", {"step": note.step, "text": note.text})

    def back(self, place: Place) -> None:
        """The run goes on elsewhere than the last step said."""
        self._write("back", {"runbook": place.runbook, "step": place.step}, place)

    def applying(self, place: Place, plan: Path) -> None:
        """A plan is about to be applied."""
        self._write("applying", {**asdict(place), "plan_file": str(plan)}, place)

    def end(self, runbook: str, status: str) -> None:
        """The run is over."""
        self._write("end", {"runbook": runbook, "result": status})
        self.free()

    def changes_of(self, digest: str) -> tuple[int, ...]:
        """The entries that say that a change of this plan was made, whichever run it was that
        applied it: one may have broken off."""
        try:
            entries = self.journal.read().entries
        except FailedError:
            return ()
        return tuple(
            entry["seq"]
            for entry in entries
            if entry["kind"] == "outcome"
            and entry.get("result") == "done"
            and entry.get("plan") == digest
        )

    def hold(self) -> None:
        """Nobody else goes on with this run meanwhile. Raises RefusedError when somebody does."""
        path = self.folder / "lock"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.free()
            raise RefusedError(
                f"run {self._run} is under way in another terminal",
                hint="go on there, or end it there; without --resume a new run begins",
            ) from None
        except OSError as error:
            self._lock = None
            self._tell(f"{path} cannot be used: {error.strerror or error}")

    def free(self) -> None:
        """Somebody else may go on with it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def folder(self) -> Path:
        """Where this run's plans are written."""
        return self.journal.folder / "runbooks" / self._run

    def _write(self, event: str, body: Mapping[str, Any], after: Place | None = None) -> int:
        if self._silent:
            return 0
        following = {} if after is None else {"next": asdict(after)}
        try:
            entry = self.journal.append(
                KIND, {"event": event, "runbook_run": self._run, **body, **following}
            )
        except (FailedError, RefusedError) as error:
            self._silent = True
            self._tell(f"this run is not written down, and cannot be resumed: {error}")
            return 0
        return int(entry["seq"])


def new_id() -> str:
    """A run's id: short enough to be said over the phone."""
    return f"{datetime.now(UTC):%m%d-%H%M}-{secrets.token_hex(2)}"


def runs(entries: Iterable[Entry]) -> tuple[Run, ...]:
    """Every run that the journal tells of, in the order in which they began.

    One with an entry that payops does not write so is left out: somebody else wrote it, or another
    version, and what it would go on with nobody knows.
    """
    found: dict[str, Run] = {}
    for entry in entries:
        if entry["kind"] != KIND:
            continue
        id_ = str(entry.get("runbook_run", ""))
        try:
            if entry.get("event") == "begin" and _ID.fullmatch(id_):
                found[id_] = _begun(id_, entry)
            elif id_ in found:
                found[id_] = _continued(found[id_], entry)
        except (KeyError, TypeError, ValueError):
            found.pop(id_, None)
    return tuple(found.values())


def unfinished(entries: Iterable[Entry], runbook: str = "") -> Run | None:
    """The latest run of that runbook (of any, without one), where it is not over."""
    latest = [
        run for run in runs(entries) if not run.auto and (not runbook or run.runbook == runbook)
    ]
    return latest[-1] if latest and not latest[-1].ended else None


def _begun(id_: str, entry: Entry) -> Run:
    at = _moment(entry["at"])
    return Run(
        id=id_,
        runbook=_text(entry["runbook"]),
        began=_moment(entry["began"]),
        started=at,
        who=_text(entry["operator"]),
        place=_place(entry["next"]),
        auto=bool(entry.get("auto")),
        parameters={name: _text(value) for name, value in _pairs(entry.get("parameters"))},
        last=at,
    )


def _continued(run: Run, entry: Entry) -> Run:
    at = _moment(entry["at"])
    run = replace(run, last=at, place=_place(entry["next"]) if "next" in entry else run.place)
    match entry["event"]:
        case "step":
            return replace(run, taken=(*run.taken, _read(entry)), applying="")
        case "note":
            note = Note(at, _text(entry["step"]), _text(entry["text"]))
            return replace(run, notes=(*run.notes, note))
        case "back":
            return replace(run, applying="")
        case "applying":
            return replace(run, applying=_text(entry["plan_file"]))
        case "end":
            return replace(run, ended=_text(entry["result"]))
    return run


def _told(taken: Taken) -> dict[str, Any]:
    body = asdict(taken)
    del body["entry"]
    body["began"] = utc_text(taken.began)
    body["seconds"] = round(taken.seconds, 1)
    body["status"] = taken.status.value if taken.status else None
    body["step_kind"] = body.pop("kind")
    return body


def _read(entry: Entry) -> Taken:
    return Taken(
        runbook=_text(entry["runbook"]),
        step=_text(entry["step"]),
        kind=_kind(entry["step_kind"]),
        title=_text(entry["title"]),
        number=int(entry["number"]),
        of=int(entry["of"]),
        outcome=_text(entry["outcome"]),
        began=_moment(entry["began"]),
        seconds=_seconds(entry["seconds"]),
        status=Status(entry["status"]) if entry["status"] else None,
        expected=bool(entry["expected"]),
        verifies=bool(entry["verifies"]),
        what=_text(entry["what"]),
        seen=_text(entry["seen"]),
        answer=_text(entry["answer"]),
        money=tuple(
            MoneyAtRisk(_text(one["currency"]), int(one["minor"]), int(one["count"]))
            for one in entry["money"]
        ),
        changes=tuple(int(each) for each in entry["changes"]),
        escalated=_text(entry["escalated"]),
        entry=entry["seq"],
    )


# Each raises TypeError or ValueError for what payops does not write there.


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _pairs(value: object) -> Iterable[tuple[str, object]]:
    return dict(value or {}).items()  # type: ignore[call-overload, no-any-return]


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds <= _LONGEST_S:  # so is what is no number
        raise ValueError
    return seconds


def _place(value: object) -> Place:
    if not isinstance(value, dict) or not value.keys() <= {"runbook", "step"}:
        raise TypeError
    return Place(**{name: _text(each) for name, each in value.items()})


def _kind(value: object) -> Kind:
    for kind in OUTCOMES:
        if kind == value:
            return kind
    raise ValueError
