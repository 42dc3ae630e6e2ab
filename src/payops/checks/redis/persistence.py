"""Would what is in Redis survive a restart, and does it still write to its disk?

A Redis that keeps nothing on disk forgets with a restart which payments were made and which events
were had, and what was queued (runbook 004: idempotency keys live for 24 h). One that cannot write
its snapshot refuses all writes (stop-writes-on-bgsave-error).
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
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # Redis' own example saves every hour after one change
    "unsaved": Threshold(7200, None, "s", "payops: without a log, what came since would be lost"),
}


@dataclass(frozen=True)
class Facts:
    """`keeps` is what of payments lies there. `aof`: every write is logged. `save` are the rules of
    snapshots, '' for none, None where they may not be asked; `saved_s` is how long ago the last one
    was, `changes` what came since. An `_ok` is None where this server does not tell."""

    as_of: datetime
    keeps: tuple[str, ...]
    aof: bool | None
    save: str | None
    saved_s: float | None
    changes: int
    bgsave_ok: bool | None
    write_ok: bool | None
    rewrite_ok: bool | None
    replica: bool = False
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    source = ctx.sources.redis
    facts = source.state()
    keeps = [kind.title for kind in key_kinds(ctx.settings)]
    keeps += ["queues"] if ctx.settings.queues else []
    # Asked only where it matters: managed services do not allow CONFIG.
    asked = bool(keeps) and facts.aof_enabled is False
    return Facts(
        as_of=facts.as_of,
        keeps=tuple(keeps),
        aof=facts.aof_enabled,
        save=source.setting("save") if asked else None,
        saved_s=facts.saved_s,
        changes=facts.unsaved_changes,
        bgsave_ok=facts.rdb_last_bgsave_ok,
        write_ok=facts.aof_last_write_ok,
        rewrite_ok=facts.aof_last_rewrite_ok,
        replica=facts.role == "slave",
        cli=source.cli,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    unsaved = 0.0 if facts.aof or not facts.changes else facts.saved_s or 0.0
    measured = {"unsaved": round(unsaved), "changes": facts.changes}
    failing = _failing(facts)
    if failing:
        return CheckResult(
            Status.CRIT,
            f"Redis cannot write to its disk: {' and '.join(failing)}",
            as_of=facts.as_of,
            measured=measured,
            actions=(
                Action("See how full its disk is, and its log", f"{facts.cli} INFO persistence"),
            ),
        )
    if not facts.keeps:
        return CheckResult(
            Status.OK,
            "nothing of payments lies here, so none need survive a restart",
            as_of=facts.as_of,
            measured=measured,
        )
    status, summary = _kept(facts, limits, unsaved)
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured=measured,
        actions=(
            Action(
                "Turn the log on, and write it to redis.conf too",
                f"{facts.cli} CONFIG SET appendonly yes",
            ),
        )
        if status is not Status.OK
        else (),
    )


def _failing(facts: Facts) -> list[str]:
    told = (
        (facts.bgsave_ok, "the last snapshot failed"),
        (facts.write_ok, "the last write to the log failed"),
        (facts.rewrite_ok, "the last rewrite of the log failed"),
    )
    # A rewrite that failed leaves the old log, which goes on: it fills the disk, and no more.
    failed = [what for ok, what in told[:2] if ok is False]
    return failed or [what for ok, what in told[2:] if ok is False and facts.aof]


def _kept(facts: Facts, limits: Limits, unsaved: float) -> tuple[Status, str]:
    what = ", ".join(facts.keeps)
    if facts.aof:
        return Status.OK, "every write is logged (appendonly)"
    if facts.save == "":
        status = Status.OK if facts.replica else Status.WARN
        return status, f"nothing is kept on disk: a restart loses {what}"
    saved = "" if facts.saved_s is None else f", the last {human_duration(facts.saved_s)} ago"
    status = worst([limits["unsaved"].judge(unsaved)])
    text = f"snapshots only{saved}, with {facts.changes:,} changes since"
    if status is not Status.OK:
        text += f": a restart loses those of {what}"
    return status, text


CHECK = Check(
    title="Redis keeps payment keys on disk",
    source="redis",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S4-22", "S4-23"),
)
