"""`payops reconcile payouts`: did the bank get what was earned, and does the ledger know of it?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from payops.domain.duration import utc_text
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.engine.payouts_report import judge_recorded, judge_sums, payout_json
from payops.engine.reconcile_limits import PAYOUTS
from payops.engine.thresholds import limits_in_force
from payops.engine.untold import untold
from payops.errors import NotConfiguredError, SourceError
from payops.reconcile.payouts import (
    Line,
    Payout,
    PayoutFinding,
    hold_against_lines,
    not_recorded,
    reference,
)
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window

# A payout of a large shop has more lines; then what was read is said, and nothing more claimed.
MOST_LINES = 20_000
MOST_PAYOUTS = 400
_TITLES = {
    "payouts.sum": "Payouts are the sum of their lines",
    "payouts.ledger": "What was paid out is in the ledger",
}


class PayoutObject(Struct, frozen=True):
    """Stripe's payout: only what is needed."""

    id: str
    amount: int
    currency: str
    status: str
    created: int
    automatic: bool = False
    arrival_date: int | None = None
    reconciliation_status: str | None = None


class _Source(Struct, frozen=True):
    id: str
    payment_intent: str | None = None


class BalanceTransaction(Struct, frozen=True):
    """Stripe's balance transaction, its source expanded."""

    id: str
    amount: int
    fee: int
    net: int
    currency: str
    reporting_category: str
    source: _Source | str | None = None


def reconcile_payouts(settings: Settings, window: Window, deadline: Deadline) -> Report:
    """Take apart every payout created in the window. Raises ConfigError for a threshold that fits
    nothing, and nothing that a source does: a side that does not answer is a check that says so."""
    started, now = time.monotonic(), datetime.now(UTC)
    limits = limits_in_force(settings, PAYOUTS)
    sources = Sources(settings, deadline)
    findings: list[PayoutFinding] = []
    checks: dict[str, CheckResult] = {}
    try:
        try:
            found, complete = _take_apart(sources, window)
            findings, unasked = _with_ledger(settings, sources, found)
            most = None if complete else MOST_PAYOUTS
            checks["payouts.sum"] = judge_sums(findings, limits["payouts.sum"], now, most)
            checks["payouts.ledger"] = (
                untold(settings, unasked, now)
                if unasked
                else judge_recorded(findings, limits["payouts.ledger"], now)
            )
        except (SourceError, NotConfiguredError) as error:
            checks["payouts.sum"] = untold(settings, error, now)
        return Report(
            command="reconcile payouts",
            generated_at=now,
            environment=settings.environment,
            checks=tuple(
                replace(check, id=id_, title=_TITLES[id_], limits=limits[id_])
                for id_, check in checks.items()
            ),
            stripe_calls=sources.stripe_calls(),
            duration_ms=round((time.monotonic() - started) * 1000),
            extra={
                "window": {"since": utc_text(window.since), "until": utc_text(window.until)},
                "payouts": [payout_json(finding) for finding in findings],
            },
        )
    finally:
        sources.close()


Apart = tuple[PayoutFinding, tuple[Line, ...]]


def _take_apart(sources: Sources, window: Window) -> tuple[list[Apart], bool]:
    stripe = sources.stripe
    created = {"gte": int(window.since.timestamp()), "lt": int(window.until.timestamp())}
    listed = stripe.list("/v1/payouts", PayoutObject, at_most=MOST_PAYOUTS, created=created)
    complete, found = listed.complete, []
    for each in listed.items:
        payout = _payout(each)
        lines: tuple[Line, ...] = ()
        if payout.can_be_taken_apart:
            told = stripe.list(
                "/v1/balance_transactions",
                BalanceTransaction,
                at_most=MOST_LINES,
                payout=each.id,
                expand=["data.source"],
            )
            lines = tuple(_line(one) for one in told.items)
            if not told.complete:
                payout = replace(payout, reconciliation_status=f"more than {MOST_LINES:,} lines")
        found.append((hold_against_lines(payout, lines), lines))
    return found, complete


def _payout(given: PayoutObject) -> Payout:
    return Payout(
        id=given.id,
        minor=given.amount,
        currency=given.currency,
        status=given.status,
        automatic=given.automatic,
        reconciliation_status=given.reconciliation_status or "",
        created=datetime.fromtimestamp(given.created, UTC),
        arrives=datetime.fromtimestamp(given.arrival_date, UTC) if given.arrival_date else None,
    )


def _line(given: BalanceTransaction) -> Line:
    source = given.source
    return Line(
        id=given.id,
        category=given.reporting_category,
        amount=given.amount,
        fee=given.fee,
        net=given.net,
        currency=given.currency,
        source=source if isinstance(source, str) else source.id if source else "",
        payment_intent=(source.payment_intent or "") if isinstance(source, _Source) else "",
    )


def _with_ledger(
    settings: Settings, sources: Sources, found: Sequence[Apart]
) -> tuple[list[PayoutFinding], SourceError | NotConfiguredError | None]:
    """The findings with what the ledgers do not know, or why they were not asked."""
    findings = [finding for finding, _ in found]
    lines = [line for _, inside in found for line in inside]
    try:
        known = {
            "charge": _known(sources, _mapped(settings, "payments"), lines, "charge"),
            "refund": _known(sources, _mapped(settings, "refunds"), lines, "refund"),
        }
        if known["charge"] is None:
            raise NotConfiguredError("no ledger of payments with a processor_ref is mapped")
    except (SourceError, NotConfiguredError) as error:
        return findings, error
    return [
        replace(finding, unrecorded=not_recorded(inside, known)) for finding, inside in found
    ], None


def _mapped(settings: Settings, kind: str) -> Ledger | None:
    return next(
        (each for each in settings.ledgers.values() if each.kind == kind and _has_ref(each)), None
    )


def _has_ref(ledger: Ledger) -> bool:
    return bool(ledger.columns.processor_ref)


def _known(
    sources: Sources, ledger: Ledger | None, lines: Sequence[Line], category: str
) -> set[str] | None:
    if ledger is None:
        return None
    from payops.sources.lookup import rows_named

    wanted = [reference(line) for line in lines if line.category == category]
    rows = rows_named(sources.postgres, ledger, {"processor_ref": [ref for ref in wanted if ref]})
    return {row.processor_ref for row in rows if row.processor_ref}
