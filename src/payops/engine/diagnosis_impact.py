"""`payops impact`: how many payments, how much money, how many customers, and what was refunded
(S2-40, S2-41). Whose they are is written to a file on request alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payops.diagnosis.impact import FAILED, STUCK, added, impact_of
from payops.diagnosis.signals import signals_of
from payops.domain.declines import declined_by_issuer
from payops.domain.impact import Affected, Impact, Surroundings
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.payment import PaymentStatus
from payops.domain.report import Report
from payops.domain.symptom import Signal
from payops.engine.diagnosis import seconds_alone
from payops.engine.diagnosis_around import around, compared
from payops.engine.health import examine
from payops.engine.reconcile import Reconciled, ReconcileOptions, reconcile
from payops.engine.reconcile_affected import add_failed
from payops.errors import NotConfiguredError, SourceError
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window
    from payops.engine.runner import Fault

_CHECKS = (FAILED, STUCK, "payments.requires-action", "payments.captures")
_GIVEN_BACK = {
    PaymentStatus.REFUNDED: "refunded",
    PaymentStatus.PARTIALLY_REFUNDED: "refunded in part",
}
_DISAGREE = {
    "reconcile.refund_missing": "refunded on one side only",
    "reconcile.refund_partial_mismatch": "refunded different amounts",
}
_FOR_THE_LEDGER_S = 3.0
_MOST_FAILED = 20_000  # rows of the file


def impact(
    settings: Settings,
    window: Window,
    deadline: Deadline,
    *,
    affected: Path | None = None,
    on_fault: Fault | None = None,
) -> Reconciled:
    """The report, and lines for a person on what else was done. Both sides are compared over the
    window; a side that gives no answer leaves what the other one knows."""
    started, now = time.monotonic(), datetime.now(UTC)
    sources = Sources(settings, deadline.sooner(0.1, at_most=0.5))
    try:
        # The ledger's own numbers first: comparing takes what time there is.
        health = examine(
            settings,
            _CHECKS,
            window=window,
            deadline=deadline,
            on_fault=on_fault,
            sources=sources,
        )
        options = ReconcileOptions(
            window,
            look_for_causes=False,
            affected=affected,
            command=f"payops reconcile --since {window.since:%Y-%m-%dT%H:%M}Z",
            sources=sources,
        )
        done = _compared(settings, options, deadline.sooner(0.2, at_most=_FOR_THE_LEDGER_S))
        checks = (*health.checks, *done.report.checks)
        signals, losses = signals_of(checks), compared({"reconcile": done.report})
        known = around(settings, signals, losses, window, now, sources)
        notes = list(done.notes)
        if affected is not None:
            compared_too = any(note.startswith("affected: ") for note in done.notes)
            notes += _failed(settings, window, affected, sources, behind=compared_too)
        refunds = _refunds(settings, window, signals, sources)
        calls = sources.every_stripe_call()
    finally:
        sources.close()
    told = impact_of(signals, losses, known, None, now)
    over = (*told.notes, *_over(told, known))
    report = Report(
        command="impact",
        generated_at=now,
        environment=settings.environment,
        checks=checks,
        stripe_calls=calls,
        duration_ms=round((time.monotonic() - started) * 1000),
        extra={
            "window": {
                "since": window.since.replace(microsecond=0),
                "until": window.until.replace(microsecond=0),
            },
            "impact": seconds_alone(replace(told, refunds=refunds, notes=over)),
        },
    )
    return Reconciled(report, notes)


def _compared(settings: Settings, options: ReconcileOptions, deadline: Deadline) -> Reconciled:
    """The comparison; of a system without Stripe none, and what its ledger says stands alone."""
    try:
        return reconcile(settings, options, deadline)
    except NotConfiguredError as error:
        if settings.payments is None:
            raise
        nothing = Report("reconcile", datetime.now(UTC), settings.environment, ())
        return Reconciled(nothing, [f"not compared: {error}"])


def _failed(
    settings: Settings, window: Window, path: Path, sources: Sources, *, behind: bool
) -> list[str]:
    """Beside those on whom the sides disagree: whose payments failed by our fault (S2-40)."""
    from payops.sources.ledger_stats import StatsReader

    ledger = settings.payments
    if ledger is None or settings.postgres is None:
        return []
    try:
        postgres = sources.postgres
        failed = StatsReader(postgres, ledger).failures(window, _MOST_FAILED)
    except SourceError as error:
        return [f"affected: those that failed could not be read: {error}"]
    ours = [
        one for one in failed if not declined_by_issuer(one.failure_code, ledger.issuer_declines)
    ]
    notes = add_failed(postgres, ledger, path, ours, behind=behind)
    if len(failed) == _MOST_FAILED:
        notes.append(
            f"affected: the latest {_MOST_FAILED:,} failures alone: take a shorter --since"
        )
    return notes


def _refunds(
    settings: Settings, window: Window, signals: Mapping[str, Signal], sources: Sources
) -> tuple[Affected, ...]:
    """Payments of the window that were given back, as the ledger has it, and refunds on which the
    sides disagree."""
    found = []
    ledger = settings.payments
    try:
        rows = sources.postgres.ledger(ledger).outcomes(window).rows if ledger else ()
    except (SourceError, NotConfiguredError):
        rows = ()
    for status, what in _GIVEN_BACK.items():
        mine = [row for row in rows if row.status is status]
        if mine:
            money = added(MoneyAtRisk(row.currency, row.minor, row.count) for row in mine)
            count = sum(row.count for row in mine)
            found.append(Affected(what, "", count, money, min(row.first for row in mine)))
    for id_, what in _DISAGREE.items():
        one = signals.get(id_)
        differing = one.measured.get("count") if one is not None else None
        if one is not None and isinstance(differing, int) and differing:
            found.append(Affected(what, id_, differing, one.money, one.since))
    return tuple(found)


def _over(told: Impact, known: Surroundings) -> tuple[str, ...]:
    """Sums that somebody has to be told of."""
    return tuple(
        f"{Money(one.currency, one.minor)} are more than {Money(one.currency, limit)}: "
        "level 4 is to know (S2-43)"
        for one in told.money
        if (limit := known.escalate_over.get(one.currency)) is not None and one.minor > limit
    )
