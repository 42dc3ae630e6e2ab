"""How many idempotency and dedupe keys are there, and do all end some day?

They live for 24 h (runbook 004). One without a TTL stays for ever: memory fills up, and a customer
who tries again next week gets last week's answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.payment_keys import key_kinds
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "endless": Threshold(0, None, "count", "S4-22: keys live for 24 h"),
}
# Keys of one kind that are counted, and of which the lives are read.
MOST, SAMPLE = 50_000, 2_000


@dataclass(frozen=True)
class Counted:
    """Keys of one kind; `complete` is False when there are more. Of `sampled` keys `endless` have
    no TTL."""

    title: str
    count: int
    complete: bool
    sampled: int
    endless: int


@dataclass(frozen=True)
class Facts:
    """Each kind of keys."""

    as_of: datetime
    kinds: tuple[Counted, ...]


def gather(ctx: Context) -> Facts:
    kinds = key_kinds(ctx.settings)
    if not kinds:
        raise NotConfiguredError(
            "no keys of payments in Redis are configured (trace.idempotency, webhooks.dedupe)"
        )
    source = ctx.sources.redis
    found = []
    for kind in kinds:
        keys, complete = source.scan(kind.pattern, MOST)
        sample = keys[:: max(1, len(keys) // SAMPLE)][:SAMPLE]
        lives = source.ttls(sample)
        still = source.types([key for key, left in lives.items() if left is None])
        # One that ended between the two looks has no TTL either.
        endless = sum(kind_ != "none" for kind_ in still.values())
        found.append(Counted(kind.title, len(keys), complete, len(sample), endless))
    return Facts(source.now(), tuple(found))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    endless = sum(one.endless for one in facts.kinds)
    status = limits["endless"].judge(endless)
    parts = []
    for one in facts.kinds:
        count = f"{one.count:,}" + ("" if one.complete else " or more")
        text = f"{count} {one.title}"
        if one.endless:
            of = "" if one.sampled == one.count else f" of {one.sampled:,} looked at"
            text += f", {one.endless:,}{of} without a TTL"
        parts.append(text)
    return CheckResult(
        status,
        "; ".join(parts),
        as_of=facts.as_of,
        measured={"endless": endless, "keys": sum(one.count for one in facts.kinds)},
        actions=(Action("See which, and what they hold", "payops circuit keys"),)
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="Idempotency and dedupe keys end some day",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22", "S4-23"),
    deep=True,
)
