"""`payops stats`: rates, latency, declines, volume and money, side by side and over time.

Everything is asked of the ledger, by the database's clock. One question that gets no answer takes
the others nothing away; what hangs is cut off at the deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from payops.checks.ledger import tally
from payops.domain.duration import utc_text
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.engine.stats_judged import judge_errors, judge_latency, judge_success, judge_targets
from payops.engine.stats_limits import STATS, TARGETS
from payops.engine.stats_numbers import Numbers
from payops.engine.stats_plots import plots
from payops.engine.stats_spans import MOST_BUCKETS, Period, Span, Spans, Unit, period, recent
from payops.engine.stats_tables import tables
from payops.engine.thresholds import limits_in_force
from payops.engine.untold import untold
from payops.errors import NotConfiguredError, SourceError, UsageError
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.external import OutsideSum
    from payops.sources.postgres import PostgresSource

T = TypeVar("T")

LAST_FAILURES = 10  # S4-35
# A report of a month is no check of health: what is longer than a week may take its time.
_WEEK = timedelta(days=7)
_REPORT_STATEMENT_S = 60.0
_TITLES = {
    "stats.success-rate": "Payments succeed",
    "stats.error-rate": "Few payments fail by our fault",
    "stats.latency": "Payments are soon completed",
    "stats.targets": "Success and latency reach their targets",
}


def stats(
    settings: Settings,
    since: timedelta | datetime,
    unit: Unit,
    deadline: Deadline,
    *,
    report: Period | None = None,
    ledger: str = "",
) -> Report:
    """The numbers of one ledger (the first of payments, or the one named). `since` counts back
    from the database's clock. Raises ConfigError for a threshold that fits nothing and UsageError
    for a ledger that is not mapped or for more hours than can be read; nothing that the database
    does."""
    started, now = time.monotonic(), datetime.now(UTC)
    own = TARGETS if report else STATS
    limits = limits_in_force(settings, own)
    chosen = _ledger(settings, ledger)
    patient = report is not None or _is_long(since, now)
    sources = Sources(
        _patient(settings) if patient else settings, deadline.sooner(0.1, at_most=0.5)
    )
    found: Numbers | None = None
    try:
        try:
            found = _gathered(settings, chosen, sources, since, unit, report, now)
            checks = [
                replace(
                    _judged(id_, found, settings, limits[id_]),
                    id=id_,
                    title=_TITLES[id_],
                    limits=limits[id_],
                )
                for id_ in own
            ]
        except (SourceError, NotConfiguredError) as error:
            told = untold(settings, error, now)
            checks = [replace(told, id=id_, title=_TITLES[id_]) for id_ in own]
    finally:
        sources.close()
    return Report(
        command="stats" if report is None else f"stats {report}",
        generated_at=now,
        environment=settings.environment,
        checks=tuple(checks),
        duration_ms=round((time.monotonic() - started) * 1000),
        extra=_extra(found),
        tables=tables(found) if found else (),
        plots=plots(found) if found else (),
    )


def _ledger(settings: Settings, name: str) -> Ledger | None:
    if not name:
        return settings.payments
    found = settings.ledgers.get(name)
    if found is None or found.kind == "refunds":
        known = ", ".join(n for n, one in settings.ledgers.items() if one.kind != "refunds")
        raise UsageError(
            f"--ledger: no ledger of payments is named {name!r}", hint=f"there are: {known or '-'}"
        )
    return found


def _is_long(since: timedelta | datetime, now: datetime) -> bool:
    return (now - since if isinstance(since, datetime) else since) > _WEEK


def _patient(settings: Settings) -> Settings:
    from msgspec.structs import replace as changed

    from payops.config.section import Duration

    if settings.postgres is None:
        return settings
    limit = Duration(max(settings.postgres.statement_timeout, _REPORT_STATEMENT_S))
    return changed(settings, postgres=changed(settings.postgres, statement_timeout=limit))


def _gathered(
    settings: Settings,
    ledger: Ledger | None,
    sources: Sources,
    since: timedelta | datetime,
    unit: Unit,
    report: Period | None,
    now: datetime,
) -> Numbers:
    if ledger is None:
        raise NotConfiguredError("no ledger of payments is mapped (ledgers.payments)")
    postgres = sources.postgres
    clock = postgres.server().now
    begin = since + (clock - now) if isinstance(since, datetime) else clock - since
    if begin >= clock:
        raise UsageError("--since: not in the past by the database's clock")
    spans = period(clock, report, unit) if report else recent(clock, begin, unit)
    if len(spans.buckets()) > MOST_BUCKETS:
        raise UsageError(
            f"--by {unit}: more than {MOST_BUCKETS:,} of them", hint="--by day, or a later --since"
        )
    return _Asking(settings, ledger, postgres, spans).numbers(clock)


class _Asking:
    """Asks part after part; the first failure of the whole dependency ends it."""

    def __init__(
        self, settings: Settings, ledger: Ledger, postgres: PostgresSource, spans: Spans
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._postgres = postgres
        self._spans = spans
        self._untold: dict[str, SourceError | NotConfiguredError] = {}

    def numbers(self, clock: datetime) -> Numbers:
        from payops.sources.ledger import Outcomes
        from payops.sources.ledger_stats import StatsReader

        ledger, spans = self._ledger, self._spans
        reader, shown = StatsReader(self._postgres, ledger), spans.shown.window
        outcomes = self._each("counts", lambda span: Outcomes(reader.outcomes(span.window), clock))
        latency = self._each("latency", lambda span: reader.latency(span.window))
        series = self._asked("series", lambda: reader.series(shown, spans.unit))
        slow = self._asked("latency", lambda: reader.latencies(shown, spans.unit))
        customers = self._asked("customers", lambda: reader.customers(shown))
        failures = self._asked("failures", lambda: reader.failures(shown, LAST_FAILURES))
        return Numbers(
            ledger=ledger,
            spans=spans,
            as_of=clock,
            outcomes=outcomes,
            tallies={name: tally(found, ledger) for name, found in outcomes.items()},
            latency=latency,
            series=series,
            series_latency=slow or {},
            customers=customers,
            failures=failures or (),
            outside=self._outside(),
            untold=self._untold,
        )

    def _outside(self) -> tuple[OutsideSum, ...] | None:
        external = self._settings.external
        if external is None or external.transactions is None or self._ledger.kind != "payments":
            return None
        from payops.sources.external_sums import outside_sums

        window = self._spans.shown.window
        return self._asked(
            "processors", lambda: outside_sums(self._postgres, self._settings, window)
        )

    def _each(self, part: str, ask: Callable[[Span], T]) -> dict[str, T]:
        found: dict[str, T | None] = {}
        for span in self._spans.all:
            found[span.name] = self._asked(part, partial(ask, span))
        return {name: one for name, one in found.items() if one is not None}

    def _asked(self, part: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except NotConfiguredError as error:
            self._untold.setdefault(part, error)
        except SourceError as error:
            if error.does_not_answer:
                raise
            self._untold[part] = error
        return None


def _judged(id_: str, found: Numbers, settings: Settings, limits: object) -> CheckResult:
    part = "latency" if id_ == "stats.latency" else "counts"
    name, needed = found.spans.judged.name, found.outcomes if part == "counts" else found.latency
    if name not in needed:
        return untold(settings, found.untold[part], found.as_of)
    judge = {
        "stats.success-rate": judge_success,
        "stats.error-rate": judge_errors,
        "stats.latency": judge_latency,
        "stats.targets": judge_targets,
    }[id_]
    return judge(found, limits)  # type: ignore[arg-type]


def _extra(found: Numbers | None) -> Mapping[str, object]:
    if found is None:
        return {"window": None}
    shown = found.spans.shown.window
    return {
        "window": {"since": utc_text(shown.since), "until": utc_text(shown.until)},
        "by": found.spans.unit,
        "spans": {
            span.name: {
                "since": utc_text(span.window.since),
                "until": utc_text(span.window.until),
            }
            for span in found.spans.all
        },
        "untold": {part: str(error) for part, error in found.untold.items()},
    }
