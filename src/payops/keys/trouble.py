"""What is wrong with keys, gathered into one result for each question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status

CHECK_AGAIN = "payops keys check"
ROLL = (
    "Roll it in Stripe's Dashboard: Developers, API keys, the key's menu, Rotate key; let the old "
    "one expire later than the deployment takes, put the new one wherever the old one is, make a "
    "small payment"  # S0-45: new keys, update the environment, redeploy, test, overlap period
)
ROLL_WEBHOOK = (
    "Roll it in Stripe's Dashboard: Developers, Webhooks, the endpoint, Roll secret; for up to 24 "
    "hours both are signed with, so that the new one can be deployed meanwhile"
)


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong: `what` names place and key, `source` tells where it was seen."""

    status: Status
    what: str
    action: Action
    source: str = "configuration"
    request_id: str = ""


def concluded(
    troubles: Sequence[Trouble],
    fine: str,
    now: datetime,
    *,
    source: str = "configuration",
    notes: Iterable[str] = (),
    actions: Iterable[Action] = (),
) -> CheckResult:
    """One result: the worst first, each as evidence, no action twice. `fine` is what is said where
    nothing is wrong; `notes` are told either way."""
    noted = [Evidence(note, source, now) for note in notes]
    if not troubles:
        return CheckResult(
            Status.OK, fine, source=source, as_of=now, evidence=(*noted,), actions=(*actions,)
        )
    ordered = sorted(troubles, key=lambda each: -each.status.rank)
    first, more = ordered[0], len(ordered) - 1
    seen = [
        Evidence(
            each.what,
            each.source,
            now,
            {"request_id": each.request_id} if each.request_id else {},
        )
        for each in ordered
    ]
    return CheckResult(
        first.status,
        first.what + (f"; and {more} more" if more else ""),
        source=source,
        as_of=now,
        measured={"count": len(ordered)},
        evidence=(*(seen if more or first.request_id else ()), *noted),
        actions=tuple(dict.fromkeys([*(each.action for each in ordered), *actions])),
    )


def skipped(why: str, now: datetime, *actions: Action) -> CheckResult:
    """Not asked, and why."""
    return CheckResult(Status.SKIP, why, as_of=now, actions=actions)
