"""How near is the point at which Postgres stops writing?

Transaction numbers end at 2^31. Autovacuum freezes old rows long before
(autovacuum_freeze_max_age), but not behind a transaction, a slot or a prepared transaction that
stays open. At the end the server takes no write any more until it is vacuumed, for hours. Capacity
of runbook 003's monthly review.
"""

from __future__ import annotations

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.postgres_database import DatabaseFacts

END = 2**31
LIMITS = {
    # PostgreSQL warns by itself 40 million before the end (98 %), and stops 3 million before it
    "used": Threshold(50, 80, "%", "payops: of the 2^31 numbers; the server warns only at 98 %"),
    # autovacuum begins at 100 %, and takes a while on large tables
    "overdue": Threshold(150, 300, "%", "payops: of autovacuum_freeze_max_age, where it begins"),
}

Facts = DatabaseFacts


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database

    return database(ctx.sources.postgres)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    ages = (
        (facts.xids, facts.freeze_max_age, "transaction", facts.oldest_xid_database),
        (
            facts.multixacts,
            facts.multixact_freeze_max_age,
            "multixact",
            facts.oldest_multixact_database,
        ),
    )
    used, kind, where = max((100 * age / END, kind, where) for age, _, kind, where in ages)
    overdue = max(100 * age / max(most, 1) for age, most, _, _ in ages)
    # Set high on purpose, or on a table that is just being vacuumed, "overdue" comes after "used".
    status = worst([limits["used"].judge(used), limits["overdue"].judge(overdue)])
    name = shortened(harmless(where), 40)
    summary = (
        f"the oldest {kind} number is {used:.1f} % of the way to the end, in database {name}; "
        f"{overdue:.0f} % of where autovacuum begins"
    )
    actions: tuple[Action, ...] = ()
    if status is not Status.OK:
        actions = (
            Action(
                "See what holds it back: an old transaction, a prepared one, a slot",
                "payops health --only postgres.transactions,postgres.replication,postgres.vacuum",
            ),
            Action(
                "See the oldest tables, and run VACUUM (FREEZE) on them one by one, as their owner",
                psql(
                    "select oid::regclass, age(relfrozenxid) from pg_class "
                    "where relkind in ('r', 'm', 't') order by 2 desc limit 10"
                ),
            ),
        )
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={
            "used": round(used, 1),
            "overdue": round(overdue, 1),
            "xids": facts.xids,
            "multixacts": facts.multixacts,
        },
        actions=actions,
    )


CHECK = Check(
    title="Transaction numbers do not run out",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-46",),
)
