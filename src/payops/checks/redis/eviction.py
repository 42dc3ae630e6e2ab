"""Does Redis throw keys away that payments need?

An idempotency key that was evicted before its 24 h are over lets a retry charge the customer twice,
a dedupe key that was evicted lets an event be handled twice (runbook 004). With a limit of memory
any policy but noeviction does so sooner or later; where only caches lie in Redis it is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.payment_keys import key_kinds
from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "evicted": Threshold(0, None, "count", "S4-22: an evicted idempotency key can charge twice"),
}


@dataclass(frozen=True)
class Facts:
    """`evicted` counts since the server's start, `uptime_s` ago. `keys` are the kinds of payment
    keys that lie there; with none, Redis is a cache here."""

    as_of: datetime
    maxmemory: int
    policy: str
    evicted: int
    uptime_s: int
    keys: tuple[str, ...]
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    facts = ctx.sources.redis.state()
    return Facts(
        as_of=facts.as_of,
        maxmemory=facts.maxmemory or 0,
        policy=facts.maxmemory_policy,
        evicted=facts.evicted_keys,
        uptime_s=facts.uptime_s,
        keys=tuple(kind.title for kind in key_kinds(ctx.settings)),
        cli=ctx.sources.redis.cli,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    policy = harmless(facts.policy) or "unknown"
    counted = f"{facts.evicted:,} evicted since it started {human_duration(facts.uptime_s)} ago"
    measured = {"evicted": facts.evicted}
    if not facts.keys:
        return CheckResult(
            Status.OK,
            f"no keys of payments lie here; {counted} (policy {policy})",
            as_of=facts.as_of,
            measured=measured,
        )
    what = " and ".join(facts.keys)
    evicts = facts.maxmemory > 0 and policy not in ("noeviction", "unknown")
    status = worst(
        [limits["evicted"].judge(facts.evicted), Status.WARN if evicts else Status.OK],
    )
    if evicts:
        summary = f"policy {policy} lets {what} be thrown away at the limit of memory; {counted}"
    elif facts.maxmemory:
        summary = f"policy {policy} throws nothing away; {counted}"
    else:
        summary = f"no limit of memory, so nothing is thrown away; {counted}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured=measured,
        actions=_actions(facts, evicts) if status is not Status.OK else (),
    )


def _actions(facts: Facts, evicts: bool) -> tuple[Action, ...]:
    found = []
    if evicts:
        found.append(
            Action(
                "Keep payment keys in a Redis with maxmemory-policy noeviction, apart from caches; "
                "see what its policy is",
                f"{facts.cli} CONFIG GET 'maxmemory*'",
            )
        )
    if facts.evicted:
        found.append(
            Action(
                "Look for payments that were charged twice since",
                "payops reconcile --since 24h",
            )
        )
    return tuple(found)


CHECK = Check(
    title="Redis throws no payment keys away",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22", "S4-23"),
)
