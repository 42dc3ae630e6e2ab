"""Is a replica behind, and does a slot that nobody reads fill the disk?

Read from a replica that is late, a payment that was made looks as if it was not. An inactive slot
makes the server keep all its write-ahead log, until the disk is full and nothing can be written. An
idle primary is not lag: where a replica has all that there is, it is not behind, however long ago
the last payment was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.checks.sessions import grant
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.postgres_replication import Replica, Slot, Standby

MIB = 1024 * 1024
LIMITS = {
    # no runbook gives one: a ledger read half a minute late shows payments as missing
    "lag": Threshold(30, 300, "s", "payops: a ledger read so late shows payments as missing"),
    "lag_bytes": Threshold(256 * MIB, 4096 * MIB, "bytes", "payops: minutes of a busy shop's WAL"),
    "retained": Threshold(1024 * MIB, 10240 * MIB, "bytes", "payops: WAL kept on the disk"),
    "inactive": Threshold(300, None, "s", "payops: longer than a consumer takes to restart"),
}
# The server has thrown away what the slot needs, or is about to.
_LOST = {"lost": Status.CRIT, "unreserved": Status.CRIT}


@dataclass(frozen=True)
class Facts:
    """Both sides of replication; `role` is who looked."""

    as_of: datetime
    replica: Replica | None = None
    standbys: tuple[Standby, ...] = ()
    slots: tuple[Slot, ...] = ()
    role: str = ""


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_database import database
    from payops.sources.postgres_replication import replication

    seen = replication(ctx.sources.postgres)
    role = database(ctx.sources.postgres).role
    return Facts(seen.as_of, seen.replica, seen.standbys, seen.slots, role)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    told: list[tuple[Status, str]] = []
    if facts.replica is not None:
        told.append(_replica(facts.replica, limits))
    told += [_standby(one, limits) for one in facts.standbys]
    told += [_slot(one, limits) for one in facts.slots]
    measured = _measured(facts)
    if not told:
        return CheckResult(
            Status.OK, "no replica and no slot", as_of=facts.as_of, measured=measured
        )
    judged = [each for each, _ in told if each is not Status.SKIP]
    status = worst(judged) if judged else Status.SKIP
    summary = "; ".join(text for each, text in told if each is status)
    return CheckResult(
        status,
        shortened(summary, 400),
        as_of=facts.as_of,
        measured=measured,
        evidence=tuple(
            Evidence(text, "postgres", facts.as_of)
            for each, text in told
            if status not in (Status.OK, Status.SKIP)
        )[:10],
        actions=_actions(facts, status, limits),
    )


def _replica(own: Replica, limits: Limits) -> tuple[Status, str]:
    if own.paused:
        return Status.CRIT, "this replica's replay is paused (pg_wal_replay_resume)"
    if own.seconds is None:
        off = (limits["lag"].warn, limits["lag"].crit) == (None, None)
        return Status.OK if off else Status.UNKNOWN, "this is a replica, lag unknown"
    status = worst([limits["lag"].judge(own.seconds), limits["lag_bytes"].judge(own.bytes or 0)])
    text = f"this replica is {human_duration(own.seconds)} behind"
    if not own.receiver:
        text += ", and not connected to its primary"
        status = worst([status, Status.WARN])
    return status, text


def _standby(one: Standby, limits: Limits) -> tuple[Status, str]:
    name = shortened(harmless(one.name), 40) or one.client or "a standby"
    if one.hidden:
        return Status.SKIP, f"{name}: its lag may not be seen"
    seconds, behind = one.seconds or 0.0, one.bytes or 0
    status = worst([limits["lag"].judge(seconds), limits["lag_bytes"].judge(behind)])
    if one.state not in ("streaming", ""):
        # a base backup is in this list too, and `catchup` is what follows a restart
        return status, f"{name} is in state {harmless(one.state)}, {_mib(behind)} behind"
    return status, f"{name} is {human_duration(seconds)} and {_mib(behind)} behind"


def _slot(one: Slot, limits: Limits) -> tuple[Status, str]:
    name = f"slot {shortened(harmless(one.name), 40)}"
    lost = _LOST.get(one.wal_status)
    if lost is not None:
        return lost, f"{name} is {one.wal_status}: what its reader needs is gone, or goes next"
    if one.active:
        return limits["retained"].judge(one.retained or 0), f"{name} keeps {_mib(one.retained)}"
    of_time = limits["inactive"]
    inactive = "" if one.inactive_s is None else f" for {human_duration(one.inactive_s)}"
    # Before PostgreSQL 17 it cannot be told since when.
    never = (of_time.warn, of_time.crit) == (None, None)
    unknown = Status.OK if never else Status.WARN
    status = unknown if one.inactive_s is None else of_time.judge(one.inactive_s)
    status = worst([status, limits["retained"].judge(one.retained or 0)])
    return status, f"{name} is read by nobody{inactive} and keeps {_mib(one.retained)}"


def _mib(size: int | None) -> str:
    return "an unknown amount" if size is None else f"{size / MIB:,.0f} MiB"


def _measured(facts: Facts) -> dict[str, float | int | None]:
    behind: list[Replica | Standby] = [*facts.standbys]
    behind += [facts.replica] if facts.replica else []
    seconds = [one.seconds for one in behind if one.seconds is not None]
    sizes = [one.bytes for one in behind if one.bytes is not None]
    idle = [one for one in facts.slots if not one.active]
    return {
        "lag": round(max(seconds), 1) if seconds else None,
        "lag_bytes": max(sizes, default=None),
        "retained": max((one.retained for one in facts.slots if one.retained), default=0),
        "inactive": round(max((one.inactive_s or 0 for one in idle), default=0)),
        "standbys": len(facts.standbys),
    }


def _actions(facts: Facts, status: Status, limits: Limits) -> tuple[Action, ...]:
    if status is Status.SKIP:
        return (grant("pg_read_all_stats", facts.role),)
    if status is Status.OK:
        return ()
    found = []
    if facts.replica is not None and _replica(facts.replica, limits)[0] is not Status.OK:
        found.append(
            Action(
                "Point postgres.dsn at the primary, or wait: rows younger than the lag are unseen. "
                "If it is watched elsewhere, set warn and crit of thresholds: "
                "postgres.replication: lag to null"
            )
        )
    if any(_slot(one, limits)[0] is not Status.OK for one in facts.slots):
        found.append(
            Action(
                "See what the slots keep. One that nobody needs goes with "
                "pg_drop_replication_slot, which makes its reader begin anew",
                psql("select slot_name, active, wal_status, restart_lsn from pg_replication_slots"),
            )
        )
    if any(_standby(one, limits)[0] is not Status.OK for one in facts.standbys):
        found.append(
            Action(
                "See the replicas: network, disk, or a long query over there that replay waits for",
                psql(
                    "select application_name, state, sync_state, replay_lag "
                    "from pg_stat_replication"
                ),
            )
        )
    return tuple(found)


CHECK = Check(
    title="Replicas keep up, and no slot fills the disk",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-55", "S3-46"),
)
