"""What a diagnosis needs beside the checks: whose payments they are, whom to call, what names the
commands need. Asked after the look, in what is left of its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from payops.diagnosis.impact import FAILED, STUCK, STUCK_S, Compared
from payops.domain.impact import Failing, Level, Surroundings
from payops.domain.payment import OPEN, PaymentStatus
from payops.domain.symptom import Signal
from payops.domain.window import Window
from payops.engine.runbook_values import built_in
from payops.errors import NotConfiguredError, SourceError

if TYPE_CHECKING:
    from datetime import datetime

    from payops.config.settings import Settings
    from payops.domain.report import Report
    from payops.sources import Sources

_LONGEST = timedelta(days=7)  # as far back as payments.stuck-pending looks


def compared(reports: Mapping[str, Report]) -> Compared:
    """What the comparison of both sides lists."""
    report = reports.get("reconcile")
    if report is None:
        return Compared()
    found = cast(Sequence[Any], report.extra.get("discrepancies", ()))
    listed = tuple(one for one in found if isinstance(one, Mapping))
    return Compared(listed, cast(int, report.extra.get("left_out", 0)))


def around(
    settings: Settings,
    signals: Mapping[str, Signal],
    losses: Compared,
    window: Window,
    as_of: datetime,
    sources: Sources | None,
    since: datetime | None = None,
) -> Surroundings:
    """What the configuration says, and, where the database can be asked (`sources`), what the
    ledger says of those affected; `since` is when the incident began, else what was first affected.
    A ledger that gives no answer leaves that out."""
    ledger = settings.payments
    statuses = {str(word): raws for word, raws in ledger.statuses.items()} if ledger else {}
    return Surroundings(
        names=built_in(settings),
        levels=tuple(
            Level(one.level, one.contact, float(one.after)) for one in settings.escalation
        ),
        escalate_over={
            currency.lower(): minor for currency, minor in settings.risk.escalate_over.items()
        },
        open_words=_words(statuses, OPEN),
        failed_words=_words(statuses, {PaymentStatus.FAILED}),
        failing=_failing(settings, signals, losses, window, as_of, sources, since),
    )


def _words(
    statuses: Mapping[str, Any], wanted: frozenset[PaymentStatus] | set[PaymentStatus]
) -> tuple[str, ...]:
    return tuple(
        str(raw).lower()
        for word, raws in statuses.items()
        for raw in raws
        if PaymentStatus(word) in wanted
    )


def _failing(
    settings: Settings,
    signals: Mapping[str, Signal],
    losses: Compared,
    window: Window,
    as_of: datetime,
    sources: Sources | None,
    since: datetime | None,
) -> Failing | None:
    ledger = settings.payments
    if sources is None or ledger is None or settings.postgres is None:
        return None
    failed, stuck = signals.get(FAILED), signals.get(STUCK)
    keys = [str(one["local_id"]) for one in losses.discrepancies if one.get("local_id")]
    failing_since = None
    if failed is not None and failed.measured.get("failed"):
        failing_since = failed.since or window.since
    stuck_since = stuck.since if stuck and stuck.abnormal else None
    created = [str(one["created"]) for one in losses.discrepancies if one.get("local_id")]
    begun = [one for one in (failing_since, stuck_since, *map(_moment, created)) if one]
    if not begun:
        return None
    from payops.sources.ledger_affected import failing

    # A row may be older than Stripe's object by the time that it took to make it.
    first = max(min(begun) - timedelta(hours=1), as_of - _LONGEST)
    half = (as_of - (since or min(begun))) / 2
    try:
        return failing(
            sources.postgres,
            ledger,
            Window(first, max(as_of, first) + timedelta(minutes=1)),
            failing_since=failing_since,
            middle=as_of - half,
            stuck_before=as_of - timedelta(seconds=STUCK_S) if stuck_since else None,
            keys=keys,
        )
    except (SourceError, NotConfiguredError):
        return None


def _moment(text: str) -> datetime:
    from datetime import datetime

    return datetime.fromisoformat(text)
