"""`payops circuit status`: every breaker as it is stored, and what to make of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from payops.checks.contract import Context
from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.breaker_verdict import Guarded, Judged, Traffic, judge_breaker
from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.domain.window import Window
from payops.engine.circuit_evidence import ask_guards, ask_traffic
from payops.engine.untold import status_of
from payops.errors import NotConfiguredError, SourceError, UsageError
from payops.sources import Sources, borrowed
from payops.sources.breakers import discover, place_of, read_breakers, reading

if TYPE_CHECKING:
    from payops.config.circuit import Breaker
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline

ROWS = ("S4-06", "S4-07", "S4-08", "S4-09", "S4-10", "S4-13", "S4-17")


@dataclass(frozen=True)
class Breakers:
    """What is in Redis, by its clock. `guards` is the dependency behind each name, `complete` is
    False when the budget ended before every key was looked at."""

    as_of: datetime
    readings: tuple[BreakerReading, ...]
    guards: Mapping[str, str]
    complete: bool = True


def chosen(settings: Settings, name: str) -> tuple[Breaker, ...]:
    """The configured breakers, or the one of that name.

    Raises NotConfiguredError when there are none, UsageError for a name that is none of theirs.
    """
    breakers = settings.circuit.breakers
    if not breakers:
        raise NotConfiguredError(
            "no circuit breaker is configured (circuit.breakers): this system is not known to use "
            "one in Redis",
            hint="`payops circuit status --discover` looks for them",
        )
    if not name:
        return breakers
    found = tuple(breaker for breaker in breakers if breaker.name == name)
    if not found:
        known = [breaker.name for breaker in breakers]
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
        raise UsageError(f"no breaker is named {name!r}", hint=hint)
    return found


def read(settings: Settings, sources: Sources, name: str = "", *, found: bool = False) -> Breakers:
    """The configured breakers as they are; with `found`, those in Redis that nobody named as well.

    Raises SourceError, NotConfiguredError, UsageError.
    """
    try:
        configured = chosen(settings, name)
    except NotConfiguredError:
        if not found:
            raise
        configured = ()
    redis = sources.redis
    places = [place_of(breaker) for breaker in configured]
    complete = True
    if found:
        others, complete = discover(redis)
        known = {place.parts["state"] for _, place in places}
        places += [one for one in others if one[1].parts["state"] not in known]
    kept = read_breakers(redis, places)
    readings = [
        reading(one, configured[n] if n < len(configured) else None) for n, one in enumerate(kept)
    ]
    guards = {breaker.name: breaker.guards for breaker in configured}
    return Breakers(
        kept[0].as_of if kept else redis.now(),
        tuple(_told_apart(readings)),
        {one.name: guards.get(one.name, "stripe") for one in _told_apart(readings)},
        complete,
    )


def _told_apart(readings: Sequence[BreakerReading]) -> list[BreakerReading]:
    """Two of one name get their layouts beside it."""
    names = [one.name for one in readings]
    return [
        replace(one, name=f"{one.name} ({one.layout})") if names.index(one.name) != n else one
        for n, one in enumerate(readings)
    ]


@dataclass(frozen=True)
class StatusOptions:
    """What `circuit status` shows."""

    name: str = ""
    discover: bool = False
    history: tuple[Table, ...] = ()


def status(
    settings: Settings,
    options: StatusOptions,
    deadline: Deadline,
    sources: Sources | None = None,
) -> Report:
    """Read the breakers, hold them against the evidence, tell. Raises UsageError; a Redis that
    does not answer is a finding."""
    started = time.monotonic()
    now = datetime.now(UTC)
    with borrowed(sources, settings, deadline.sooner(0.1, at_most=0.5)) as asked:
        checks, extra, tables = _looked(settings, asked, options, deadline, now)
        return Report(
            command="circuit status",
            generated_at=now,
            environment=settings.environment,
            checks=checks,
            stripe_calls=asked.stripe_calls(),
            duration_ms=round((time.monotonic() - started) * 1000),
            extra=extra,
            tables=(*tables, *options.history),
        )


_Looked = tuple[tuple[CheckResult, ...], dict[str, object], tuple[Table, ...]]


def _looked(
    settings: Settings, sources: Sources, options: StatusOptions, deadline: Deadline, now: datetime
) -> _Looked:
    empty: dict[str, object] = {"breakers": []}
    try:
        found = read(settings, sources, options.name, found=options.discover)
    except NotConfiguredError as error:
        actions = (Action(error.hint),) if error.hint else ()
        return (_result(Status.SKIP, "circuit", error.message, now, actions),), empty, ()
    except SourceError as error:
        silent = error.does_not_answer
        failed = Status[settings.unreachable] if silent else Status.UNKNOWN
        said = f"no breaker can be read: {error}"
        actions = (Action(error.hint, error.by_hand),) if error.hint else ()
        result = replace(_result(failed, "circuit", said, now, actions), measured=error.measured)
        return (result,), empty, ()
    if not found.readings:
        looked = "every key" if found.complete else "a part of the keys (the time ran out)"
        none = f"no breaker was found in Redis; {looked} was looked at"
        return (
            (_result(Status.SKIP if found.complete else Status.UNKNOWN, "circuit", none, now),),
            empty,
            (),
        )
    window = Window(now - timedelta(hours=1), now)
    ctx = Context(settings, sources, window, now, deadline)
    guards = ask_guards(ctx, found.guards.values())
    traffic, note, unasked = ask_traffic(ctx, found.readings, found.as_of)
    told = [
        (
            one,
            judge_breaker(one, guards[found.guards[one.name]], traffic.get(one.name), found.as_of),
        )
        for one in found.readings
    ]
    checks = [
        _check(one, judged, guards[found.guards[one.name]], traffic.get(one.name), found.as_of)
        for one, judged in told
    ]
    if unasked is not None:
        checks.append(_without_ledger(settings, unasked, now))
    notes = [note] if note else []
    if not found.complete:
        notes.append("not every key was looked at: more --deadline looks further")
    extra: dict[str, object] = {"breakers": [_as_json(one, judged) for one, judged in told]}
    return tuple(checks), extra, (_table(told, found.as_of, "; ".join(notes)),)


def _result(
    status: Status, id_: str, summary: str, now: datetime, actions: tuple[Action, ...] = ()
) -> CheckResult:
    return CheckResult(
        status, summary, "redis", now, actions=actions, id=id_, title="Circuit breakers", rows=ROWS
    )


def _without_ledger(settings: Settings, error: SourceError, now: datetime) -> CheckResult:
    """Breakers were read, and held against nothing: a result of its own, so that a breaker which
    is closed while payments fail does not pass for well."""
    return CheckResult(
        status_of(settings, error),
        f"the ledger could not be asked, so whether payments fail is not known: {error}",
        source="postgres",
        as_of=now,
        actions=(
            *((Action(error.hint, error.by_hand),) if error.hint else ()),
            Action("See what is wrong with it", "payops health --only postgres.connect"),
        ),
        id="circuit.ledger",
        title="Payments by the ledger",
        rows=ROWS,
    )


def _check(
    one: BreakerReading,
    judged: Judged,
    guarded: Guarded,
    traffic: Traffic | None,
    now: datetime,
) -> CheckResult:
    odd = one.contradictions(now)
    state = one.effective(now)
    status = judged.status
    if odd and status is Status.OK:
        status = Status.WARN
    evidence = [
        Evidence(
            f"{one.layout}: {one.raw_state!r}",
            "redis",
            now,
            {
                "failures": one.failures,
                "opened_at": utc_text(one.opened_at) if one.opened_at else None,
                "last_failure": utc_text(one.last_failure) if one.last_failure else None,
                **{f"ttl {key}": left for key, left in one.ttls.items() if left is not None},
            },
        )
    ]
    evidence += [Evidence(f"contradiction: {what}", "redis", now) for what in odd]
    if guarded.how:
        answers = "answers " if guarded.answers else ""
        evidence.append(Evidence(f"{answers}{guarded.how}", guarded.name, now))
    if traffic is not None:
        failed = traffic.last_failure
        refused = state is BreakerState.OPEN and traffic.failed
        evidence.append(
            Evidence(
                f"{traffic.failed:,} of {traffic.attempts:,} payments failed by our fault or "
                "Stripe's"
                + (", those that the open breaker refused among them" if refused else ""),
                "postgres",
                now,
                {
                    "window_s": traffic.window_s,
                    "last_failure": utc_text(failed) if failed else None,
                    "tried_since_half_open_was_due": traffic.since_due,
                },
            )
        )
    not_closed = state is not BreakerState.CLOSED and one.opened and one.opened <= now
    return CheckResult(
        status,
        judged.sentence + ("; " + "; ".join(odd) if odd else ""),
        source="redis",
        as_of=now,
        since=one.opened if not_closed else None,
        measured={
            "state": state.value if state else "unknown",
            "failures": one.failures,
            "threshold": one.failure_threshold,
            "verdict": judged.verdict.value,
        },
        evidence=tuple(evidence),
        actions=judged.actions,
        id=f"circuit.{one.name}",
        title=f"Breaker {one.name}",
        rows=ROWS,
    )


def _as_json(one: BreakerReading, judged: Judged) -> dict[str, object]:
    return {
        "name": one.name,
        "layout": one.layout,
        "state": one.state.value if one.state else None,
        "raw_state": one.raw_state,
        "failures": one.failures,
        "failure_threshold": one.failure_threshold,
        "opened_at": one.opened_at,
        "last_failure": one.last_failure,
        "half_open_due": one.due,
        "ttls": dict(one.ttls),
        "verdict": judged.verdict.value,
        "sentence": judged.sentence,
    }


def _table(told: Sequence[tuple[BreakerReading, Judged]], now: datetime, note: str) -> Table:
    columns = (
        Column("name", "Breaker"),
        Column("layout", "Layout"),
        Column("state", "State"),
        Column("failures", "Failures"),
        Column("opened_at", "Opened"),
        Column("due", "Half-open due"),
        Column("ttl", "TTL"),
        Column("verdict", "Verdict"),
    )
    rows = tuple(_row(one, judged, now) for one, judged in told)
    return Table("breakers", "Breakers as they are stored", columns, rows, note)


def _row(
    one: BreakerReading, judged: Judged, now: datetime
) -> tuple[str | datetime | timedelta | None, ...]:
    state = one.effective(now)
    shown = state.value if state else "?"
    if state is not one.state and one.state:
        shown += f" (stored {one.state.value})"
    counted = "-" if one.failures is None else f"{one.failures:,}"
    left = min((ttl for ttl in one.ttls.values() if ttl is not None), default=None)
    due = one.due if state is not BreakerState.CLOSED else None
    return (
        one.name,
        one.layout,
        shown,
        f"{counted} of {one.failure_threshold}",
        one.opened_at,
        due,
        None if left is None else timedelta(seconds=left),
        judged.verdict.value,
    )
