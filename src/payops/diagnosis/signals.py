"""What the checks of several reports said, as signals by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.symptom import Signal

_FAILING, _BREAKERS = "payments.failure-rate", "circuit.state"
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
    `undecided`: more than there are payments that Stripe has decided and the ledger has not; of the
    failures of the last hour, whether they are `over`.
    """
    found: dict[str, Signal] = {}
    for result in results:
        one = signal(result)
        there = found.get(one.check)
        if there is None or one.status.rank > there.status.rank:
            found[one.check] = one
    if _STUCK in found:
        found[_STUCK] = _with_undecided(found[_STUCK], found.get(_DECIDED))
    if _FAILING in found:
        found[_FAILING] = _with_over(found[_FAILING], found)
    return found


def _with_over(failing: Signal, found: Mapping[str, Signal]) -> Signal:
    """Payments that failed an hour long are judged by the hour after they were mended too.

    It is over when those of the last five minutes were paid; when none was tried since, but
    all the reasons lead to what is well by now; and at once where open breakers alone refused them,
    since one that is closed refuses nothing.
    """
    lately, leads = failing.measured.get("lately"), failing.measured.get("leads")
    well = isinstance(leads, str) and all(_well(lead, found) for lead in leads.split(","))
    over = lately == 0 or (well and (lately is None or leads == _BREAKERS))
    return replace(failing, measured={**failing.measured, "over": over})


def _well(lead: str, found: Mapping[str, Signal]) -> bool:
    """Whether a check, or each of a family, is well now. One that nobody asked is not."""
    asked = [one for id_, one in found.items() if id_ == lead or id_.startswith(f"{lead}.")]
    told = [one for one in asked if one.status is not Status.SKIP and not one.advisory]
    return bool(told) and all(one.status is Status.OK for one in told)


def _with_undecided(stuck: Signal, decided: Signal | None) -> Signal:
    count = stuck.measured.get("count")
    known = decided.measured.get("count") if decided is not None else None
    if not isinstance(count, int) or not isinstance(known, int):
        return stuck
    return replace(stuck, measured={**stuck.measured, "undecided": max(0, count - known)})
