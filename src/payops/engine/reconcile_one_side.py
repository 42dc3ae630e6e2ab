"""What can be said when one of the two sides does not answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.engine.untold import status_of
from payops.errors import NotConfiguredError, SourceError
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.engine.reconcile import ReconcileOptions


def one_side(
    settings: Settings,
    options: ReconcileOptions,
    sources: Sources,
    error: SourceError,
    started: float,
) -> Report:
    """A report of a comparison that could not be made, and of what can be said all the same."""
    now = datetime.now(UTC)
    evidence: list[Evidence] = []
    known = "nothing can be compared"
    if error.source == "stripe":
        action = Action(
            "Export the payments from Stripe's Dashboard (Payments, Export, all columns), or take "
            "what the CLI gave before, and compare that",
            f"{options.command} --stripe-file payments.csv",
        )
        evidence = _ledger_alone(settings, options, sources, now)
        if evidence:
            known = "the ledger alone was read"
    else:
        action = Action(
            "Export the table from a replica or a backup "
            "(psql: \\copy … TO payments.csv CSV HEADER), and compare that",
            f"{options.command} --ledger-file payments.csv",
        )
        known = "what was fetched of Stripe's side is kept for the next run"
    verb = "does not answer" if error.does_not_answer else "could not be read"
    hint = (Action(error.hint),) if error.hint else ()
    check = CheckResult(
        status_of(settings, error),
        f"{error.source} {verb}: {error.kind.value}: {error.message}; {known}",
        source=error.source,
        as_of=now,
        evidence=tuple(evidence),
        actions=(*hint, action),
        measured=error.measured,
        id=f"reconcile.{error.source}",
        title="can both sides be read",
    )
    return Report(
        command="reconcile",
        generated_at=now,
        environment=settings.environment,
        checks=(check,),
        stripe_calls=sources.stripe_calls(),
        duration_ms=round((time.monotonic() - started) * 1000),
        extra={"totals": {}, "discrepancies": []},
    )


def _ledger_alone(
    settings: Settings, options: ReconcileOptions, sources: Sources, now: datetime
) -> list[Evidence]:
    ledger = settings.payments
    if ledger is None or settings.postgres is None or options.ledger_files:
        return []
    try:
        told = sources.postgres.ledger(ledger).outcomes(options.window)
    except (SourceError, NotConfiguredError):
        return []
    counts: dict[str, Scalar] = {}
    for row in told.rows:
        counts[row.raw] = int(counts.get(row.raw) or 0) + row.count
    return [Evidence("the ledger's payments of the window by status", "postgres", now, counts)]


def too_late(
    settings: Settings, options: ReconcileOptions, sources: Sources, started: float
) -> Report:
    """A report of a comparison that was not over by the deadline."""
    now = datetime.now(UTC)
    seconds = time.monotonic() - started
    check = CheckResult(
        Status.UNKNOWN,
        f"not over before the deadline ({seconds:.0f} s); what was fetched is kept",
        source="stripe+postgres",
        as_of=now,
        actions=(Action("Go on where it was, with more time", f"{options.command} --deadline 1h"),),
        id="reconcile.deadline",
        title="was there time enough",
    )
    return Report(
        command="reconcile",
        generated_at=now,
        environment=settings.environment,
        checks=(check,),
        stripe_calls=sources.stripe_calls(),
        duration_ms=round(seconds * 1000),
        extra={"totals": {}, "discrepancies": []},
    )
