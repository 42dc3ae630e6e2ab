"""`payops reconcile`: both sides into a spool, matched, confirmed, judged and told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.discrepancy import MatchClass
from payops.domain.report import Report
from payops.engine.reconcile_limits import CLASSES
from payops.engine.reconcile_one_side import one_side, too_late
from payops.engine.reconcile_run import Run
from payops.engine.thresholds import limits_in_force
from payops.errors import NotConfiguredError, SourceError
from payops.reconcile.confirm import MOST_STRIPE_CALLS
from payops.reconcile.duck import in_time
from payops.reconcile.fetch import FetchOptions, fetch
from payops.reconcile.late import TooLateError
from payops.sources import Sources, borrowed

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window
    from payops.reconcile.progress import Report as Progress


@dataclass(frozen=True)
class ReconcileOptions:
    """What to compare, and what to tell of it.

    `only` limits what is told and judged to these classes (empty: all), `limit` how many
    discrepancies are listed. `look_for_causes` asks Stripe for events, up to ten pages of them.
    `command` is the command line that can be repeated, without --only and --save-plan.
    `save_plan` and `affected` are files to write. `sources` are those of a run that this is a part
    of.
    """

    window: Window
    ledgers: tuple[str, ...] | None = None
    stripe_files: tuple[str, ...] = ()
    ledger_files: tuple[str, ...] = ()
    only: tuple[MatchClass, ...] = ()
    limit: int | None = None
    show_matched: bool = False
    fresh: bool = False
    look_for_causes: bool = True
    save_plan: Path | None = None
    affected: Path | None = None
    command: str = "payops reconcile --since 24h"
    progress: Progress | None = None
    confirm_at_most: int = MOST_STRIPE_CALLS
    sources: Sources | None = None


@dataclass
class Reconciled:
    """The report, and lines for a person on what else was done."""

    report: Report
    notes: list[str] = field(default_factory=list)


def reconcile(settings: Settings, options: ReconcileOptions, deadline: Deadline) -> Reconciled:
    """Compare both sides. Raises UsageError or ConfigError for what cannot be asked; a side that
    does not answer becomes a report that says so, and what can be said all the same."""
    started = time.monotonic()
    limits = limits_in_force(settings, CLASSES)
    if not any(each.kind == "payments" for each in settings.ledgers.values()):
        raise NotConfiguredError(
            "no ledger of payments is mapped (ledgers.payments)",
            hint="payops init, or docs/your-own-system.md",
        )
    with borrowed(options.sources, settings, deadline) as sources:
        try:
            fetched = fetch(settings, sources, _what(settings, options, deadline))
            try:
                run = Run(settings, options, sources, fetched, limits, started)
                report, notes = in_time(run.all, deadline)
                return Reconciled(report, notes)
            finally:
                fetched.spool.close()
        except SourceError as error:
            return Reconciled(one_side(settings, options, sources, error, started))
        except TooLateError:
            return Reconciled(too_late(settings, options, sources, started))


def _what(settings: Settings, options: ReconcileOptions, deadline: Deadline) -> FetchOptions:
    return FetchOptions(
        options.window,
        slack=timedelta(seconds=settings.reconcile.slack),
        fresh=options.fresh,
        ledgers=options.ledgers,
        stripe_files=options.stripe_files,
        ledger_files=options.ledger_files,
        progress=options.progress,
        # A little earlier than the run, so that what can be said of the other side still is.
        deadline=deadline.sooner(0.1, at_most=0.5),
    )


def without_empty(report: Report) -> Report:
    """The report without classes in which there is nothing: JSON has them all, people need not."""
    kept = tuple(
        check
        for check in report.checks
        if check.measured.get("count") != 0 or check.id == "reconcile.matched"
    )
    return replace(report, checks=kept or report.checks)
