"""How old is the oldest transaction?

While one is open, no dead row that it might see can be cleaned up in any table, and its locks stay:
tables grow, queries slow down, and the age of the oldest row goes up. A prepared transaction that
nobody ends does the same without any session (runbook 000, slow database).
"""

from __future__ import annotations

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.checks.sessions import Sessions, end_it, look_at, not_seen, runs, sessions, who
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: a payment's transaction takes milliseconds, a report's minutes
    "age": Threshold(
        300, 3600, "s", "payops: longer than a report; at 1 h cleaning up has stopped"
    ),
}
_SHOWN = 3

Facts = Sessions


def gather(ctx: Context) -> Facts:
    return sessions(ctx)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    open_ones = sorted(
        (one for one in facts.clients if one.transaction_s is not None),
        key=lambda one: -(one.transaction_s or 0),
    )
    prepared = facts.prepared_s or 0.0
    of_sessions = max((one.transaction_s or 0 for one in open_ones), default=0.0)
    oldest = max(of_sessions, prepared)
    measured = {"age": round(oldest, 1)}
    status = limits["age"].judge(oldest)
    if status is Status.OK and (unseen := not_seen(facts, "the oldest transaction", measured)):
        return unseen
    if not oldest:
        summary = "no transaction is open"
    elif prepared > of_sessions:
        summary = f"the oldest transaction is a prepared one, {human_duration(prepared)} old"
    else:
        summary = f"the oldest transaction is {human_duration(oldest)} old: {who(open_ones[0])}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured=measured,
        evidence=tuple(
            Evidence(
                f"{who(one)}: open for {human_duration(one.transaction_s or 0)}; {runs(one)}",
                "postgres",
                facts.as_of,
                {"pid": one.pid},
            )
            for one in open_ones[:_SHOWN]
            if status is not Status.OK
        ),
        actions=_actions(facts, prepared > of_sessions) if status is not Status.OK else (),
    )


def _actions(facts: Facts, prepared: bool) -> tuple[Action, ...]:
    if prepared:
        return (
            Action(
                "See the prepared transaction that nobody ended: COMMIT PREPARED or ROLLBACK "
                "PREPARED by its gid ends it",
                psql("select gid, prepared, owner from pg_prepared_xacts order by 2"),
            ),
        )
    oldest = max(facts.clients, key=lambda one: one.transaction_s or 0)
    return (look_at([oldest.pid]), end_it(oldest.pid))


CHECK = Check(
    title="No transaction has been open for long",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-18", "S0-53"),
)
