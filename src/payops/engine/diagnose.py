"""`payops diagnose`: looks once at everything, side by side, and ranks the causes.

These are asked at once, each on a daemon thread with the same deadline: the checks of `health`,
both sides compared, the webhooks' way, the keys, the breakers, and outside processors where there
are any. A part that fails or is late is told as such and hides nothing of the others.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.diagnosis.rank import Verdict, rank
from payops.diagnosis.signals import signals_of
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.window import Window
from payops.errors import NotConfiguredError, PayopsError, SourceError
from payops.sources import Sources
from payops.sources.allowance import Allowance

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.symptom import Suspect
    from payops.engine.runner import Fault

# 23 requests on a healthy system, 29 where Checkout Sessions have to be listed.
_MOST_REQUESTS, _SECOND_TRIES, _CONFIRMED = 30, 2, 4
# An endpoint that hangs longer has timed out for the purpose of a diagnosis.
_PROBE_S = 1.5

# Both sides are compared over a day where there were not more payments than that: Stripe lists a
# hundred in a request. Of each there are some four events.
_WIDER = (timedelta(hours=24), timedelta(hours=6))
_MOST_COMPARED, _MOST_FOLLOWED = 300, 100
_SHORTEST = timedelta(minutes=1)
_LITTLE_SLACK_S = 60.0
_FOR_DEEP_S = 1.0

PARTS = ("health", "reconcile", "webhooks", "keys", "circuit", "external", "deep")


@dataclass(frozen=True)
class Observation:
    """All that was seen in one look.

    `reports` by part; a part that gave none is in `failures` with what went wrong. `as_of` is when
    the look began, aware UTC; `stripe_calls` how many requests to Stripe it took.
    """

    as_of: datetime
    window: Window
    environment: str
    preset: str
    reports: Mapping[str, Report]
    failures: Mapping[str, str] = field(default_factory=dict)
    stripe_calls: int = 0
    duration_ms: int = 0

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """What every part found, and an UNKNOWN for each part that gave no report."""
        found = [
            check for part in PARTS if part in self.reports for check in self.reports[part].checks
        ]
        lost = [
            CheckResult(
                Status.UNKNOWN,
                f"gave no answer: {why}",
                id=f"diagnose.{part}",
                title=f"payops {part}",
                as_of=self.as_of,
            )
            for part, why in self.failures.items()
        ]
        return (*found, *lost)


def diagnose(observation: Observation, suspects: Sequence[Suspect]) -> Verdict:
    """The causes, by the runbooks' symptoms. Asks nobody: the same answer for the same look."""
    return rank(suspects, signals_of(observation.checks))


def look(
    settings: Settings, window: Window, deadline: Deadline, on_fault: Fault | None = None
) -> Observation:
    """Ask everything once, never later than `deadline`.

    The slow checks are asked at the end, when the database and Redis are well and there is time:
    in the middle of an incident nobody wants to burden them.
    """
    started, now = time.monotonic(), datetime.now(UTC)
    # Each part ends a little earlier than the look, so that it can still tell what it found.
    ends = deadline.sooner(0.05, at_most=0.3)
    # One set of connections and one pace for all: they must not take from live payments what those
    # need. Closed at the end, with what a part that hangs still holds.
    sources = Sources(
        settings, ends.sooner(0.1, at_most=0.5), Allowance(_MOST_REQUESTS, _SECOND_TRIES)
    )
    looking = _Looking(settings, sources, window, ends, on_fault)
    reports, failures = _side_by_side(looking.parts(), deadline, on_fault)
    if _well(reports.get("health")) and deadline.remaining > _FOR_DEEP_S:
        some, none = _side_by_side({"deep": looking.deep}, deadline, on_fault)
        reports |= some
        failures |= none
    calls = sources.every_stripe_call()
    sources.close()
    return Observation(
        as_of=now,
        window=window,
        environment=settings.environment,
        preset=settings.preset,
        reports=reports,
        failures=failures,
        stripe_calls=calls,
        duration_ms=round((time.monotonic() - started) * 1000),
    )


def _side_by_side(
    questions: Mapping[str, Callable[[], Report]], deadline: Deadline, on_fault: Fault | None
) -> tuple[dict[str, Report], dict[str, str]]:
    """The reports of the questions, and what went wrong with the others; never later than the
    deadline. What this system does not have is in neither."""
    answers: queue.SimpleQueue[tuple[str, Report | str]] = queue.SimpleQueue()
    for name, ask in questions.items():
        threading.Thread(
            target=lambda name=name, ask=ask: answers.put((name, _asked(name, ask, on_fault))),
            name=f"diagnose {name}",
            daemon=True,
        ).start()
    reports: dict[str, Report] = {}
    failures = dict.fromkeys(questions, "it was not done before the deadline")
    for _ in questions:
        try:
            name, answer = answers.get(timeout=max(deadline.remaining, 0.001))
        except queue.Empty:
            break
        del failures[name]
        if isinstance(answer, Report):
            reports[name] = answer
        elif answer:
            failures[name] = answer
    return reports, failures


def _well(health: Report | None) -> bool:
    """Whether the database and Redis answered, and neither is in trouble."""
    return health is not None and not any(
        check.status in (Status.CRIT, Status.UNKNOWN)
        for check in health.checks
        if check.id.partition(".")[0] in ("postgres", "redis")
    )


@dataclass(frozen=True)
class _Looking:
    """The questions of one look."""

    settings: Settings
    sources: Sources
    window: Window
    deadline: Deadline
    on_fault: Fault | None

    def parts(self) -> Mapping[str, Callable[[], Report]]:
        """What is asked side by side."""
        asked = {
            "health": self.health,
            "reconcile": self.reconcile,
            "webhooks": self.webhooks,
            "keys": self.keys,
            "circuit": self.circuit,
        }
        return asked | ({"external": self.external} if self.settings.external else {})

    def health(self) -> Report:
        from payops.checks import ids_in, without_deep

        return self._checks(without_deep(ids_in(self.settings)))

    def deep(self) -> Report:
        """The slow checks, but those that would take many requests of Stripe's."""
        from payops.checks import ids_in, load_check, without_deep

        every = ids_in(self.settings)
        quick = set(without_deep(every))
        slow = (id_ for id_ in every if id_ not in quick)
        return self._checks(tuple(id_ for id_ in slow if "stripe" not in load_check(id_).source))

    def _checks(self, ids: tuple[str, ...]) -> Report:
        from payops.engine.health import examine

        return examine(
            self.settings,
            ids,
            window=self.window,
            deadline=self.deadline,
            on_fault=self.on_fault,
            sources=self.sources,
        )

    def reconcile(self) -> Report:
        from payops.engine.reconcile import ReconcileOptions
        from payops.engine.reconcile import reconcile as compare

        # Causes would cost ten more pages of events; the webhooks' part has looked at those.
        most = _MOST_COMPARED // (3 if _lists_sessions(self.settings) else 1)
        window = fitting(self.settings, self.sources, self.window, _WIDER, most)
        settings = self.settings
        if window.length < self.window.length:
            settings = _with_little_slack(settings)
        options = ReconcileOptions(
            window,
            limit=20,
            look_for_causes=False,
            confirm_at_most=_CONFIRMED,
            sources=self.sources,
        )
        return compare(settings, options, self.deadline).report

    def webhooks(self) -> Report:
        from payops.engine.webhooks import Asking, status

        asking = Asking(probe_s=_PROBE_S, sources=self.sources)
        window = fitting(self.settings, self.sources, self.window, (), _MOST_FOLLOWED)
        return status(self.settings, window, self.deadline, asking)

    def keys(self) -> Report:
        from payops.engine.keys import KeysOptions, check_keys

        return check_keys(self.settings, KeysOptions(sources=self.sources), self.deadline)

    def circuit(self) -> Report:
        from payops.engine.circuit import StatusOptions, status

        return status(self.settings, StatusOptions(), self.deadline, self.sources)

    def external(self) -> Report:
        from payops.engine.external import reconcile_external

        return reconcile_external(self.settings, None, self.deadline, self.sources)


def _lists_sessions(settings: Settings) -> bool:
    """Whether Checkout Sessions are listed as well, and those of a day before too."""
    ledger = settings.payments
    return ledger is not None and bool(
        ledger.columns.session_ref or ledger.references.session_local_id
    )


def _with_little_slack(settings: Settings) -> Settings:
    """In a busy shop an hour beyond both edges is more than the window."""
    from msgspec.structs import replace

    from payops.config.section import Duration

    slack = Duration(min(settings.reconcile.slack, _LITTLE_SLACK_S))
    return replace(settings, reconcile=replace(settings.reconcile, slack=slack))


def fitting(
    settings: Settings, sources: Sources, window: Window, wider: Sequence[timedelta], most: int
) -> Window:
    """How far back Stripe's lists are read: as far as `most` payments reach.

    One of the `wider` spans, the longest in which the ledger has no more of them; else the window
    that was asked for, or as much of its end as they fill. Money that was lost in the night is an
    incident in the morning, and a busy shop has as many payments in a few minutes. Where the ledger
    cannot tell, the window that was asked for.
    """
    ledger = settings.payments
    if ledger is None:
        return window

    def payments(span: Window) -> int:
        return sum(row.count for row in sources.postgres.ledger(ledger).outcomes(span).rows)

    try:
        for span in wider:
            longer = Window(window.until - span, window.until)
            if longer.since < window.since and payments(longer) <= most:
                return longer
        if (count := payments(window)) > most:
            return Window(
                window.until - max(_SHORTEST, window.length * (most / count)), window.until
            )
    except (SourceError, NotConfiguredError):
        pass
    return window


def _asked(name: str, ask: Callable[[], Report], on_fault: Fault | None) -> Report | str:
    """The part's report; what went wrong; empty for what this system does not have."""
    try:
        return ask()
    except NotConfiguredError:
        return ""
    except PayopsError as error:
        return str(error)
    except BaseException as error:  # noqa: BLE001  whatever it is, the other parts go on
        if on_fault is not None:
            on_fault(f"diagnose.{name}", traceback.format_exc())
        return f"fault of payops: {type(error).__name__}: {error}".rstrip(": ")
