"""Does autovacuum reach the ledgers?

Each change of a payment's status leaves a dead row behind. Where autovacuum does not come (turned
off, held up by an old transaction, too slow), the table and its indexes grow, and each lookup gets
slower. Runbook 003's maintenance vacuums every month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError
from payops.sources.postgres_tables import TableState

LIMITS = {
    # autovacuum comes within a minute of 100 %, and takes its time on a large table
    "dead": Threshold(300, 1000, "%", "payops: dead rows, of those at which autovacuum comes"),
}
# Below this nobody feels them, whatever share they are.
FEW = 10_000


@dataclass(frozen=True)
class Facts:
    """The mapped tables; `autovacuum` is whether the server has it turned on at all."""

    as_of: datetime
    autovacuum: bool
    tables: tuple[TableState, ...]


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database
    from payops.sources.postgres_tables import mapped_tables, tables

    names = mapped_tables(ctx.settings)
    if not names:
        raise NotConfiguredError("no ledger and no event log is mapped")
    here = database(ctx.sources.postgres)
    if here.in_recovery:
        raise NotConfiguredError(
            "dead rows are counted on the primary, and this is a replica",
            hint="ask with postgres.dsn of the primary",
        )
    seen = tables(ctx.sources.postgres, names)
    return Facts(seen.as_of, here.autovacuum, tuple(one for one in seen.rows if one.kind == "r"))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    shares = [(_share(one), one) for one in facts.tables]
    most = max((share for share, _ in shares), default=0.0)
    off = [one for one in facts.tables if not one.autovacuum]
    status = limits["dead"].judge(most)
    if not facts.autovacuum or off:
        status = worst([status, Status.WARN])
    starved = [(s, one) for s, one in shares if limits["dead"].judge(s) is not Status.OK]
    parts = []
    if not facts.autovacuum:
        parts.append("autovacuum is turned off on the server")
    if off:
        parts.append(f"autovacuum is turned off for {', '.join(_name(one) for one in off[:3])}")
    if starved:
        worst_one = max(starved, key=lambda pair: pair[0])[1]
        parts.append(
            f"{_name(worst_one)} has {worst_one.dead:,} dead rows beside {worst_one.rows:,}, "
            f"last vacuumed {_when(worst_one)}"
        )
    count = "1 mapped table" if len(facts.tables) == 1 else f"{len(facts.tables)} mapped tables"
    return CheckResult(
        status,
        "; ".join(parts) or f"autovacuum keeps up with {count}",
        as_of=facts.as_of,
        measured={"dead": round(most, 1)},
        evidence=tuple(
            Evidence(
                f"{_name(one)}: {one.dead:,} dead rows, autovacuum comes at {one.trigger:,.0f}; "
                f"last vacuumed {_when(one)}",
                "postgres",
                facts.as_of,
                {"dead": one.dead, "rows": one.rows},
            )
            for _, one in starved
        ),
        actions=_actions(facts, starved, off) if status is not Status.OK else (),
    )


def _share(one: TableState) -> float:
    """Dead rows in per cent of those at which autovacuum comes; few are none."""
    return 0.0 if one.dead < FEW else 100 * one.dead / max(one.trigger, 1)


def _actions(
    facts: Facts, starved: list[tuple[float, TableState]], off: list[TableState]
) -> tuple[Action, ...]:
    found = []
    if not facts.autovacuum:
        found.append(
            Action("Turn it on: autovacuum = on and track_counts = on in postgresql.conf, reload")
        )
    if off:
        found.append(
            Action(
                "Turn it on for the table, as its owner: ALTER TABLE … RESET (autovacuum_enabled)"
            )
        )
    if starved:
        found.append(
            Action(
                "See whether an old transaction holds it back",
                "payops health --only postgres.transactions,postgres.replication",
            )
        )
        found.append(
            Action(
                "If not, run VACUUM (ANALYZE) on it as its owner; reads and writes go on meanwhile"
            )
        )
    return tuple(found)


def _when(one: TableState) -> str:
    return "never" if one.vacuumed_s is None else f"{human_duration(one.vacuumed_s)} ago"


def _name(one: TableState) -> str:
    return shortened(harmless(one.name), 60)


CHECK = Check(
    title="Autovacuum keeps up with the ledgers",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-46", "S0-53"),
)
