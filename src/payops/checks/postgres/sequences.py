"""Does a key run out of numbers?

At the last number of a sequence, or of the integer column that it fills (2,147,483,647), every
INSERT fails: no payment can be recorded, and Stripe has taken the money. Capacity of runbook 003's
monthly review.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.sessions import grant
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.postgres_tables import Sequence

LIMITS = {
    # widening an integer key of a large table takes a night that has to be planned
    "used": Threshold(75, 90, "%", "payops: room to plan the change to bigint"),
}
_SHOWN = 5


@dataclass(frozen=True)
class Facts:
    """Sequences that go up, the fullest first; `role` is who looked."""

    as_of: datetime
    sequences: tuple[Sequence, ...]
    role: str


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database
    from payops.sources.postgres_tables import sequences

    source = ctx.sources.postgres
    seen = sequences(source)
    return Facts(seen.as_of, seen.rows, database(source).role)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    hidden = sum(one.hidden for one in facts.sequences)
    used = [(_used(one), one) for one in facts.sequences if not one.hidden and not one.cycles]
    share = max((each for each, _ in used), default=0.0)
    status = limits["used"].judge(share)
    measured = {"used": round(share, 1), "sequences": len(facts.sequences), "hidden": hidden}
    if status is Status.OK and hidden:
        return CheckResult(
            Status.SKIP,
            f"{hidden} of {len(facts.sequences)} sequences may not be read",
            as_of=facts.as_of,
            measured=measured,
            actions=(grant("SELECT ON ALL SEQUENCES IN SCHEMA public", facts.role),),
        )
    if not used:
        summary = "no sequence"
    else:
        fullest = max(used, key=lambda pair: pair[0])[1]
        count = "1 sequence" if len(used) == 1 else f"{len(used)} sequences"
        summary = f"{count}, the fullest at {share:.0f} %: {_name(fullest)}"
    full = [(each, one) for each, one in used if limits["used"].judge(each) is not Status.OK]
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured=measured,
        evidence=tuple(
            Evidence(
                f"{_name(one)} is at {one.last:,} of {one.highest:,} ({each:.1f} %)",
                "postgres",
                facts.as_of,
            )
            for each, one in sorted(full, key=lambda pair: -pair[0])[:_SHOWN]
        ),
        actions=(
            Action(
                "Make the column and what refers to it bigint, before it is full: on a large table "
                "with a new column that a trigger fills, not with ALTER COLUMN TYPE, which locks it"
            ),
        )
        if full
        else (),
    )


def _used(one: Sequence) -> float:
    return 100 * (one.last or 0) / max(one.highest, 1)


def _name(one: Sequence) -> str:
    name = f"{one.schema}.{one.name}" if one.schema != "public" else one.name
    if one.table_name:
        name += f" (of {one.table_name}.{one.column_name})"
    return shortened(harmless(name), 120)


CHECK = Check(
    title="No key runs out of numbers",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-46",),
)
