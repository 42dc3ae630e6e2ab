"""A run as a report for the ticket: what, when, what was seen, said and changed, what money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.runbook import Runbook
from payops.domain.runbook_run import NOT_ASKED, Run, Taken
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.engine.runbook_run import verified_by, verified_status

_STEPS = (
    Column("number", "#"),
    Column("at", "At"),
    Column("took", "Took"),
    Column("outcome", "Outcome"),
    Column("what", "Step, and what was seen", wide=True),
)
_NOTES = (Column("at", "At"), Column("step", "Step"), Column("text", "Note", wide=True))
_CHANGES = (Column("entry", "Entry"), Column("step", "Step"), Column("what", "What", wide=True))


def summary(run: Run, runbook: Runbook, environment: str) -> Report:
    """The run's report; its status is that of what verified it. `runbook` is the one that the run
    ended in."""
    now = datetime.now(UTC)
    seconds = (now - run.began).total_seconds()
    return Report(
        command=f"runbook run {run.runbook}",
        generated_at=now,
        environment=environment,
        checks=(*_checks(run, now), _time(runbook, seconds, now)),
        duration_ms=round(seconds * 1000),
        tables=tuple(_tables(run)),
        extra=_extra(run, runbook, seconds, now),
    )


def _checks(run: Run, now: datetime) -> Iterator[CheckResult]:
    if run.place.step:
        yield CheckResult(
            Status.UNKNOWN,
            f"not verified: left before step {run.place.step}",
            id="runbook.verified",
            title="Is it repaired?",
            as_of=now,
            actions=(Action("Go on with it", f"payops runbook run {run.runbook} --resume"),),
        )
        return
    judged = verified_by(run)
    if not judged:
        what = "nothing was looked at, so nothing tells whether it is repaired"
        yield CheckResult(Status.UNKNOWN, what, id="runbook.verified", as_of=now)
    several = len({each.runbook for each in judged}) > 1
    for each in judged:
        yield CheckResult(
            verified_status(each),
            each.seen or each.outcome,
            id=f"{each.runbook}.{each.step}" if several else each.step,
            title=each.title,
            as_of=each.began,
            money_at_risk=each.money,
            duration_ms=round(each.seconds * 1000),
        )


def _time(runbook: Runbook, seconds: float, now: datetime) -> CheckResult:
    """The time that it took, held against the target; advisory, since it repairs nothing."""
    told, target = human_duration(seconds), runbook.mttr_s
    late = target is not None and seconds > target
    if target is not None:
        told += f" of {human_duration(target)}"
    return CheckResult(
        Status.WARN if late else Status.OK,
        told,
        id="runbook.time",
        title="Time taken",
        as_of=now,
        measured={"seconds": round(seconds), "mttr": target},
        advisory=True,
    )


def _tables(run: Run) -> Iterator[Table]:
    rows = tuple(
        (
            each.number,
            each.began,
            timedelta(seconds=max(1, round(each.seconds))),
            each.outcome,
            ": ".join(part for part in (each.title, _seen(each)) if part),
        )
        for each in run.taken
    )
    left = sum(each.outcome == NOT_ASKED for each in run.taken)
    note = f"{left} not done: --auto asks and changes nothing" if left else ""
    yield Table("steps", "Steps", _STEPS, rows, note)
    if run.notes:
        notes = tuple((each.at, each.step, each.text) for each in run.notes)
        yield Table("notes", "Notes", _NOTES, notes)
    changed = [each for each in run.taken if each.changes]
    if changed:
        changes = tuple((_entries(each.changes), each.step, each.what) for each in changed)
        note = "each with before and after: payops journal show ENTRY"
        yield Table("changed", "Changed", _CHANGES, changes, note)


def _entries(entries: Sequence[int]) -> str:
    """A step's entries in the journal: one row a step, were it a thousand events sent again.

    >>> _entries((28,))
    '28'
    >>> _entries((77, 79, 81))
    '77 to 81 (3)'
    """
    if len(entries) == 1:
        return str(entries[0])
    return f"{min(entries)} to {max(entries)} ({len(entries):,})"


def _seen(taken: Taken) -> str:
    escalated = f"escalated: {taken.escalated}" if taken.escalated else ""
    at_risk = f"at risk: {', '.join(map(str, taken.money))}" if taken.money else ""
    parts = (taken.answer, taken.seen, at_risk, escalated)
    return "; ".join(part for part in parts if part)


def _extra(run: Run, runbook: Runbook, seconds: float, now: datetime) -> dict[str, object]:
    return {
        "runbook": run.runbook,
        "run": run.id,
        "title": runbook.title,
        "severity": runbook.severity or None,
        "operator": run.who,
        "began": run.began,
        "ended": None if run.place.step else now,
        "seconds": round(seconds),
        "mttr_s": runbook.mttr_s,
        "resume_at": run.place.step or None,
        "parameters": dict(run.parameters),
        "steps": [_step(each) for each in run.taken],
    }


def _step(taken: Taken) -> dict[str, object]:
    """A step for programs: JSON has it in the place of the table that people see."""
    return {
        "runbook": taken.runbook,
        "step": taken.step,
        "number": taken.number,
        "of": taken.of,
        "title": taken.title,
        "kind": taken.kind,
        "what": taken.what,
        "outcome": taken.outcome,
        "status": taken.status,
        "verifies": taken.verifies,
        "at": taken.began,
        "seconds": round(taken.seconds, 1),
        "seen": taken.seen,
        "answer": taken.answer or None,
        "money_at_risk": taken.money,
        "escalated": taken.escalated or None,
        "changes": taken.changes,
        "entry": taken.entry or None,
    }
