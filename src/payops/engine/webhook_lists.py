"""`payops webhooks endpoints|undelivered|stuck`: lists of what `status` counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.money import total_at_risk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.secret import excerpt
from payops.domain.status import Status, worst
from payops.domain.table import Column, Table
from payops.domain.text import shortened
from payops.domain.webhook import Cause, Moved
from payops.domain.window import Window
from payops.engine.untold import untold
from payops.engine.webhook_limits import id_of
from payops.engine.webhook_report import (
    endpoints_check,
    remark_checks,
    untold_parts,
    wanted_of,
)
from payops.engine.webhook_tables import endpoints_table
from payops.engine.webhooks import Asking, Seen, look
from payops.errors import NotConfiguredError, SourceError, UsageError
from payops.webhooks.classify import Place, Verdict
from payops.webhooks.endpoints import remarks
from payops.webhooks.path import Part, Path
from payops.webhooks.told import money_told

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline

_COLUMNS = (
    Column("event", "event"),
    Column("type", "type"),
    Column("created", "created"),
    Column("age", "age"),
    Column("amount", "amount"),
    Column("cause", "cause"),
    Column("ledger", "ledger"),
    Column("payment", "payment"),
    Column("detail", "detail", wide=True),
)
# `payops webhooks endpoints` looks at nothing but the endpoints: of events the last ones do.
_GLANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Filter:
    """Which of the events are listed: `type` a glob (empty: all), created longer than `older` ago,
    of this `cause`; `limit` of them, the oldest first (None: all)."""

    type: str = ""
    older: timedelta = timedelta(0)
    cause: Cause | None = None
    limit: int | None = None

    def takes(self, verdict: Verdict, as_of: datetime) -> bool:
        """Whether a verdict is one of them; `limit` is not looked at."""
        event = verdict.event
        return (
            (not self.type or fnmatchcase(event.type, self.type))
            and as_of - event.created >= self.older
            and (self.cause is None or verdict.cause is self.cause)
        )


def cause_named(word: str) -> Cause:
    """The cause with this word, or the only one whose word begins so. Raises UsageError."""
    found = [cause for cause in Cause if cause.value == word]
    found = found or [cause for cause in Cause if word and cause.value.startswith(word)]
    if len(found) != 1:
        known = ", ".join(cause.value for cause in Cause)
        raise UsageError(f"there is no cause {shortened(word, 40)!r}", hint=f"causes: {known}")
    return found[0]


def undelivered(
    settings: Settings, window: Window, deadline: Deadline, wanted: Filter, probe: bool | None
) -> Report:
    """Events that an endpoint has not had. Raises as `status` does."""

    def kept(verdict: Verdict) -> bool:
        event = verdict.event
        return event.pending_webhooks > 0 and verdict.place is not Place.IN_FLIGHT

    asking = Asking(probe=probe, objects=False)
    return _listed("undelivered", settings, window, deadline, wanted, asking, kept)


def stuck(settings: Settings, window: Window, deadline: Deadline, wanted: Filter) -> Report:
    """Events that arrived and were not handled, by the event log or by what stands in for it.
    Raises as `status` does."""
    causes = {Cause.NOT_PROCESSED, Cause.SWALLOWED}

    def kept(verdict: Verdict) -> bool:
        return verdict.place is Place.LOST and verdict.cause in causes

    asking = Asking(probe=False, objects=False)
    return _listed("stuck", settings, window, deadline, wanted, asking, kept)


def _listed(
    name: str,
    settings: Settings,
    window: Window,
    deadline: Deadline,
    wanted: Filter,
    asking: Asking,
    kept: Callable[[Verdict], bool],
) -> Report:
    started, now = time.monotonic(), datetime.now(UTC)
    seen = look(settings, window, deadline, asking, undelivered=name == "undelivered")
    as_of = seen.path.as_of
    chosen = [each for each in seen.verdicts if kept(each) and wanted.takes(each, as_of)]
    return Report(
        command=f"webhooks {name}",
        generated_at=now,
        environment=settings.environment,
        checks=(_count(settings, name, seen, chosen, window), *untold_parts(settings, seen.ground)),
        stripe_calls=seen.path.calls,
        duration_ms=round((time.monotonic() - started) * 1000),
        tables=(_table(name, seen, chosen, wanted.limit),),
    )


def _count(
    settings: Settings, name: str, seen: Seen, chosen: Sequence[Verdict], window: Window
) -> CheckResult:
    path = seen.path
    title = {
        "undelivered": "Nothing is undelivered",
        "stuck": "Nothing that arrived is stuck",
    }[name]
    id_ = f"webhooks.{name}"
    failure = path.failures.get(Part.EVENTS)
    if failure is not None and not chosen and (name == "undelivered" or not path.knows(Part.LOG)):
        assert isinstance(failure, SourceError | NotConfiguredError)  # noqa: S101  no other is kept
        return _named(untold(settings, failure, path.as_of), id_, title)
    limits = seen.limits[id_of(Cause.UNDELIVERED if name == "undelivered" else Cause.NOT_PROCESSED)]
    owed = [each.event for each in chosen if each.event.moved in {Moved.NO, Moved.NO_ROW}]
    money = total_at_risk(money_told(owed).values())
    payments = sum(each.count for each in money)
    statuses = [limits["count"].judge(len(chosen)), limits["payments"].judge(payments)]
    silent = _silent(path) if name == "stuck" else ""
    if failure is not None or silent:
        statuses.append(Status.UNKNOWN)
    summary = f"{len(chosen):,} {'event' if len(chosen) == 1 else 'events'}" if chosen else "none"
    if chosen:
        age = human_duration((path.as_of - chosen[0].event.created).total_seconds())
        summary += f", the oldest {age} old"
    if payments:
        summary += f"; {payments:,} payment{'s' if payments > 1 else ''} not in the ledger"
    if failure is not None:
        summary += f"; not all was read: {failure}"
    if silent:
        summary += f" that could be seen: {silent} could not be asked"
    flag = "--undelivered" if name == "undelivered" else "--stuck"
    return CheckResult(
        worst(statuses),
        summary,
        id=id_,
        title=title,
        source="stripe" if name == "undelivered" else "postgres",
        as_of=path.as_of,
        since=chosen[0].event.created if chosen else None,
        measured={"count": len(chosen), "payments": payments},
        limits={name: limits[name] for name in ("count", "payments")},
        actions=(
            (
                Action("See why", "payops webhooks status"),
                Action("Send them again", f"payops webhooks replay {flag}"),
            )
            if chosen
            else ()
        ),
        money_at_risk=money,
        rows=("S4-04", "S2-04") if name == "undelivered" else ("S1-02", "S1-05"),
    )


def _silent(path: Path) -> str:
    """What tells whether an event that arrived was handled, and gives no answer; empty if one does:
    where nothing was seen, nothing can be called stuck or not."""
    tell = [part for part in (Part.LOG, Part.LEDGER) if part in path.asked | path.failures.keys()]
    if not tell or any(path.knows(part) for part in tell):
        return ""
    return str(tell[0].value)


def _named(result: CheckResult, id_: str, title: str) -> CheckResult:
    return replace(result, id=id_, title=title)


def _table(name: str, seen: Seen, chosen: Sequence[Verdict], limit: int | None) -> Table:
    shown = chosen if limit is None else chosen[:limit]
    left = len(chosen) - len(shown)
    note = f"{left:,} more: give a larger --limit." if left else ""
    rows = tuple(
        (
            each.event.id,
            each.event.type,
            each.event.created,
            seen.path.as_of - each.event.created,
            each.event.amount,
            each.cause.value if each.cause else each.place.value,
            each.event.local_state or each.event.moved.value,
            each.event.payment_intent or each.event.object_id or None,
            excerpt(each.event.error or each.detail, 200) or None,
        )
        for each in shown
    )
    return Table("events", f"Events that are {name}", _COLUMNS, rows, note)


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────


def endpoints(settings: Settings, deadline: Deadline, *, probe: bool) -> Report:
    """The endpoints: configured, registered, answering. Raises ConfigError."""
    started, now = time.monotonic(), datetime.now(UTC)
    window = Window(now - _GLANCE, now)
    asking = Asking(probe=probe, objects=False)
    seen = look(settings, window, deadline, asking, undelivered=True)
    ground = seen.ground
    path = ground.path
    if path.endpoints is None:
        checks: tuple[CheckResult, ...] = (endpoints_check(settings, ground),)
        tables: tuple[Table, ...] = ()
    else:
        found = remarks(wanted_of(settings, ground), path.endpoints)
        checks = remark_checks(found, ground) or (endpoints_check(settings, ground),)
        tables = (endpoints_table(ground, path.endpoints),)
    return Report(
        command="webhooks endpoints",
        generated_at=now,
        environment=settings.environment,
        checks=checks,
        stripe_calls=path.calls,
        duration_ms=round((time.monotonic() - started) * 1000),
        tables=tables,
    )
