"""`payops diagnose`: looks once at everything, side by side, and ranks the causes.

Five questions are asked at once, each on a daemon thread with the same deadline: the checks of
`health`, both sides compared, the webhooks' way, the keys, the breakers. A part that fails or is
late is told as such and hides nothing of the others.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.diagnosis.rank import Verdict, rank
from payops.diagnosis.signals import signals_of
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.errors import NotConfiguredError, PayopsError
from payops.sources import Sources
from payops.sources.retries import Retries

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.symptom import Suspect
    from payops.domain.window import Window
    from payops.engine.runner import Fault

# 22 requests on a healthy system; a diagnosis sends 30 at most.
_SECOND_TRIES, _CONFIRMED = 4, 4
# An endpoint that hangs longer has timed out for the purpose of a diagnosis.
_PROBE_S = 1.5

PARTS = ("health", "reconcile", "webhooks", "keys", "circuit")


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
    """Ask everything once, never later than `deadline`."""
    started, now = time.monotonic(), datetime.now(UTC)
    # Each part ends a little earlier than the look, so that it can still tell what it found.
    ends = deadline.sooner(0.05, at_most=0.3)
    answers: queue.SimpleQueue[tuple[str, Report | str]] = queue.SimpleQueue()
    # One set of connections and one pace for all five: they must not take from live payments what
    # those need. Closed at the end, with what a part that hangs still holds.
    sources = Sources(settings, ends.sooner(0.1, at_most=0.5), Retries(_SECOND_TRIES))
    questions = _questions(settings, sources, window, ends, on_fault)
    for name, ask in questions.items():
        threading.Thread(
            target=lambda name=name, ask=ask: answers.put((name, _asked(name, ask, on_fault))),
            name=f"diagnose {name}",
            daemon=True,
        ).start()
    reports: dict[str, Report] = {}
    failures: dict[str, str] = {}
    while len(reports) + len(failures) < len(questions):
        try:
            name, answer = answers.get(timeout=max(deadline.remaining, 0.001))
        except queue.Empty:
            break
        if isinstance(answer, Report):
            reports[name] = answer
        elif answer:
            failures[name] = answer
        else:
            questions = {each: ask for each, ask in questions.items() if each != name}
    calls = sources.every_stripe_call()
    sources.close()
    late = {
        name: "it was not done before the deadline" for name in questions if name not in reports
    }
    return Observation(
        as_of=now,
        window=window,
        environment=settings.environment,
        preset=settings.preset,
        reports=reports,
        failures={**late, **failures},
        stripe_calls=calls,
        duration_ms=round((time.monotonic() - started) * 1000),
    )


def _questions(
    settings: Settings,
    sources: Sources,
    window: Window,
    deadline: Deadline,
    on_fault: Fault | None,
) -> Mapping[str, Callable[[], Report]]:
    def health() -> Report:
        from payops.checks import ids_in, without_deep
        from payops.engine.health import examine

        ids = without_deep(ids_in(settings))
        return examine(
            settings, ids, window=window, deadline=deadline, on_fault=on_fault, sources=sources
        )

    def reconcile() -> Report:
        from payops.engine.reconcile import ReconcileOptions
        from payops.engine.reconcile import reconcile as compare

        # Causes would cost ten more pages of events; the webhooks' part has looked at those.
        options = ReconcileOptions(
            window, limit=20, look_for_causes=False, confirm_at_most=_CONFIRMED, sources=sources
        )
        return compare(settings, options, deadline).report

    def webhooks() -> Report:
        from payops.engine.webhooks import Asking, status

        return status(settings, window, deadline, Asking(probe_s=_PROBE_S, sources=sources))

    def keys() -> Report:
        from payops.engine.keys import KeysOptions, check_keys

        return check_keys(settings, KeysOptions(sources=sources), deadline)

    def circuit() -> Report:
        from payops.engine.circuit import StatusOptions, status

        return status(settings, StatusOptions(), deadline, sources)

    return {
        "health": health,
        "reconcile": reconcile,
        "webhooks": webhooks,
        "keys": keys,
        "circuit": circuit,
    }


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
