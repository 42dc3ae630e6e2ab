"""What a check is.

`gather(ctx) -> Facts` asks the sources and decides nothing; `judge(facts, limits)` decides and
asks nobody, so a test needs no fake. The runner (`payops.engine.runner`) turns what `gather`
raises into a result: NotConfiguredError is SKIP, a SourceError is the configured `unreachable` or
UNKNOWN, anything else is a fault of payops and UNKNOWN for that check alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from payops.checks.sized import sized
from payops.domain.evidence import Action, Scalar
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits
from payops.domain.webhook import Had
from payops.domain.window import Window

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.webhook import PathEvent
    from payops.sources import Sources

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Earlier:
    """What a check measured in an earlier run, at `as_of`: rates and growth need two readings."""

    as_of: datetime
    measured: Mapping[str, Scalar]


def _had_nothing(events: Sequence[PathEvent], as_of: datetime) -> Had:
    return Had()


@dataclass(frozen=True)
class Context:
    """What a check may ask: the settings, the sources, the window under review, the time.

    `limits` are those of the check that is asking: a limit may also say what to ask for ('older
    than 30 min'). `now` and the window are by this machine's clock; a check that compares with
    times written elsewhere takes the clock of that place (`PostgresFacts.now`,
    `RedisSource.now()`). `earlier` is what an earlier run measured, by the id of the check; empty
    where none is remembered. `had` tells which of the events that Stripe owes this side has had all
    the same; it never raises for what a source does.
    """

    settings: Settings
    sources: Sources
    window: Window
    now: datetime
    deadline: Deadline
    limits: Limits = field(default_factory=dict)
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    had: Callable[[Sequence[PathEvent], datetime], Had] = _had_nothing


@dataclass(frozen=True)
class Check(Generic[Facts]):
    """One question with one answer.

    `title` says what is asked. `source` names the dependency that is asked (`postgres`,
    `stripe`, ... several joined by `+`). `limits` are the thresholds by name of the measured
    value, each with the source of its numbers; the configuration may override them. `rows` cites
    the checklist rows that the check answers. `when_down` is what to do when the source does not
    answer. An `advisory` check is shown but never changes the status of a report. A `deep` one
    takes its time or burdens what it asks: it is asked with `--deep`, or when it is named.
    """

    title: str
    source: str
    gather: Callable[[Context], Facts]
    judge: Callable[[Facts, Limits], CheckResult]
    limits: Limits = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    when_down: tuple[Action, ...] = ()
    advisory: bool = False
    deep: bool = False


@dataclass(frozen=True)
class NamedCheck:
    """A check with the id that its place gives it (`checks/payments/stuck_pending.py` is
    `payments.stuck-pending`) and the limits in force."""

    id: str
    check: Check[object]
    limits: Limits

    def signed(self, result: CheckResult, now: datetime, duration_ms: int) -> CheckResult:
        """What `judge` found, with all that a report needs to know of the check itself."""
        return replace(
            sized(result),
            id=self.id,
            title=self.check.title,
            source=result.source or self.check.source,
            as_of=result.as_of or now,
            limits=self.limits,
            rows=self.check.rows,
            advisory=self.check.advisory,
            duration_ms=duration_ms,
        )
