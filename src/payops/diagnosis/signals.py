"""What the checks of several reports said, as signals by id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from payops.domain.result import CheckResult
from payops.domain.symptom import Signal

_STUCK, _DECIDED = "payments.stuck-pending", "reconcile.status_mismatch"


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
    """Signals by id; of two with one id the worse, since neither may hide the other.

    What no check can know alone is added: of the payments that are stuck, how many are
    `undecided`: more than there are payments that Stripe has decided and the ledger has not.
    """
    found: dict[str, Signal] = {}
    for result in results:
        one = signal(result)
        there = found.get(one.check)
        if there is None or one.status.rank > there.status.rank:
            found[one.check] = one
    if _STUCK in found:
        found[_STUCK] = _with_undecided(found[_STUCK], found.get(_DECIDED))
    return found


def _with_undecided(stuck: Signal, decided: Signal | None) -> Signal:
    count = stuck.measured.get("count")
    known = decided.measured.get("count") if decided is not None else None
    if not isinstance(count, int) or not isinstance(known, int):
        return stuck
    return replace(stuck, measured={**stuck.measured, "undecided": max(0, count - known)})
