"""What a watch has seen since it began: the last report, changes, and a few numbers over time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status

_MOST_POINTS = 600
_MOST_EVENTS = 500


@dataclass(frozen=True)
class Curve:
    """One number over the session: check, what it measured, how it is called; None where a round
    did not tell it. `floor` and `top` are what the smallest and the largest bar stand for, as far
    as no point lies beyond; None is nothing, and the largest point."""

    check: str
    measure: str
    title: str
    unit: str
    floor: float | None = None
    top: float | None = None
    lower_is_worse: bool = False
    points: tuple[float | None, ...] = ()

    @property
    def known(self) -> tuple[float, ...]:
        """The points that are known."""
        return tuple(point for point in self.points if point is not None)

    @property
    def worst(self) -> float | None:
        """The worst point, None when none is known."""
        pick = min if self.lower_is_worse else max
        return pick(self.known, default=None)

    def after(self, report: Report) -> Curve:
        """With the report's number, or a gap."""
        found = next((one for one in report.checks if one.id == self.check), None)
        value = found.measured.get(self.measure) if found else None
        usable = isinstance(value, int | float) and not isinstance(value, bool)
        point = float(value) if usable and math.isfinite(value) else None  # type: ignore[arg-type]
        return replace(self, points=(*self.points, point)[-_MOST_POINTS:])

    def scaled(self) -> tuple[tuple[float | None, ...], float]:
        """The points above the floor, and what a full bar stands for."""
        low = min((self.floor or 0.0, *(self.known if self.floor else ())))
        high = max((self.top or 0.0, *self.known))
        return tuple(None if point is None else point - low for point in self.points), high - low


CURVES = (
    # 80 %: far below what any runbook calls an incident (S0-40: 90 %).
    Curve("payments.success-rate", "rate", "success rate", "%", 80, 100, lower_is_worse=True),
    Curve("stripe.api", "latency", "Stripe answers in", "ms"),
    Curve("app.health", "latency", "the app answers in", "ms"),
)


@dataclass(frozen=True)
class Event:
    """A check went from one status to another; `before` is None for what was wrong at the start."""

    at: datetime
    id: str
    before: Status | None
    after: Status
    summary: str


@dataclass(frozen=True)
class Session:
    """Everything since the watch began. `spent` are the seconds under each status."""

    began: datetime
    rounds: int = 0
    last: Report | None = None
    events: tuple[Event, ...] = ()
    curves: tuple[Curve, ...] = CURVES
    spent: Mapping[Status, float] = field(default_factory=dict)

    def after(self, report: Report) -> tuple[Session, tuple[Event, ...]]:
        """The session with one more round, and what changed in it."""
        before = _statuses(self.last)
        events = tuple(
            Event(report.generated_at, id_, was, check.status, check.summary)
            for id_, check in _one_of_each(report).items()
            if _changed(was := before.get(id_), check.status)
        )
        spent = dict(self.spent)
        if self.last is not None:
            seconds = (report.generated_at - self.last.generated_at).total_seconds()
            status = self.last.status
            spent[status] = spent.get(status, 0.0) + max(seconds, 0.0)
        now = replace(
            self,
            rounds=self.rounds + 1,
            last=report,
            events=(*self.events, *events)[-_MOST_EVENTS:],
            curves=tuple(curve.after(report) for curve in self.curves),
            spent=spent,
        )
        return now, events


def _one_of_each(report: Report) -> dict[str, CheckResult]:
    """A result for each id; of several the worst."""
    found: dict[str, CheckResult] = {}
    for check in report.checks:
        if check.id not in found or check.status.rank > found[check.id].status.rank:
            found[check.id] = check
    return found


def _statuses(report: Report | None) -> dict[str, Status]:
    return {id_: check.status for id_, check in _one_of_each(report).items()} if report else {}


def _changed(before: Status | None, after: Status) -> bool:
    well = (Status.OK, Status.SKIP)
    return after not in well if before is None else before is not after
