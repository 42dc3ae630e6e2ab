"""What the checks of several reports said, as signals by id."""

from __future__ import annotations

from collections.abc import Iterable

from payops.domain.result import CheckResult
from payops.domain.symptom import Signal


def signal(result: CheckResult) -> Signal:
    """One check's answer as a signal."""
    return Signal(
        check=result.id,
        status=result.status,
        summary=result.summary,
        source=result.source,
        measured=result.measured,
        since=result.since,
        as_of=result.as_of,
        money=result.money_at_risk,
        actions=result.actions,
        advisory=result.advisory,
    )


def signals_of(results: Iterable[CheckResult]) -> dict[str, Signal]:
    """Signals by id; of two with one id the worse, since neither may hide the other."""
    found: dict[str, Signal] = {}
    for result in results:
        one = signal(result)
        there = found.get(one.check)
        if there is None or one.status.rank > there.status.rank:
            found[one.check] = one
    return found
