"""What a breaker is held against: whether what it guards answers, and how payments fare.

Each is asked on its own, and one that does not answer is told as such: it never hides the breaker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from payops.checks import named
from payops.checks.contract import Context
from payops.config.ledger import Ledger
from payops.domain.breaker import BreakerReading
from payops.domain.breaker_verdict import GUARDS, Guarded, Traffic
from payops.domain.declines import declined_by_issuer
from payops.domain.payment import PaymentStatus
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.runner import run
from payops.errors import SourceError
from payops.sources.ledger import Outcome

# Failures are looked at over so many of the breaker's own windows, and 5 min at least: a minute of
# a quiet shop has no payment in it.
_WINDOWS = 5
_SHORTEST_S = 300.0


@dataclass(frozen=True)
class Seen:
    """Evidence beside the breakers. `notes` says what could not be asked, and why."""

    guards: Mapping[str, Guarded]
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def ask_guards(ctx: Context, names: Iterable[str]) -> dict[str, Guarded]:
    """Each guarded dependency by its own check, side by side, within the context's deadline."""
    wanted = sorted(set(names))
    known = [name for name in wanted if name in GUARDS]
    results = run(named([GUARDS[name] for name in known], ctx.settings), ctx)
    found = {
        name: Guarded(name, None, "payops has no check that asks it")
        for name in wanted
        if name not in GUARDS
    }
    answers = {Status.OK: True, Status.WARN: True, Status.CRIT: False}
    for name, result in zip(known, results, strict=True):
        found[name] = Guarded(
            name, answers.get(result.status), result.summary.removeprefix("answers ")
        )
    return found


def ask_traffic(
    ctx: Context, readings: Sequence[BreakerReading], redis_now: datetime
) -> tuple[dict[str, Traffic], str, SourceError | None]:
    """Payments by the ledger, for each breaker over its own windows; a note where there is no
    ledger; and what kept a ledger from answering. Times are moved to Redis' clock."""
    ledger = ctx.settings.payments
    if ledger is None:
        return {}, "no ledger of payments is mapped, so whether payments fail is not known", None
    postgres = ctx.sources.postgres
    try:
        skew = redis_now - postgres.server().now
        table = postgres.ledger(ledger)
        found: dict[str, Traffic] = {}
        for reading in readings:
            span = max(_WINDOWS * reading.window_s, _SHORTEST_S)
            until = redis_now - skew
            recent = table.outcomes(Window(until - timedelta(seconds=span), until)).rows
            since_due = None
            if reading.overdue_s(redis_now) is not None and reading.due is not None:
                later = table.outcomes(Window(reading.due - skew, until)).rows
                since_due = sum(row.count for row in later)
            found[reading.name] = traffic(recent, ledger, span, skew, since_due)
    except SourceError as error:
        return {}, "", error
    return found, "", None


def traffic(
    rows: Sequence[Outcome],
    ledger: Ledger,
    window_s: float,
    skew: timedelta,
    since_due: int | None,
) -> Traffic:
    """Rows of a window as traffic: what the issuer declined is no failure of ours."""
    failed = [
        row
        for row in rows
        if row.status is PaymentStatus.FAILED
        and not declined_by_issuer(row.failure_code, ledger.issuer_declines)
    ]
    return Traffic(
        window_s=window_s,
        attempts=sum(row.count for row in rows),
        failed=sum(row.count for row in failed),
        last_failure=max((row.last + skew for row in failed), default=None),
        last_attempt=max((row.last + skew for row in rows), default=None),
        since_due=since_due,
    )
