"""Are transactions held open while nothing is done in them?

What a transaction locked stays locked while the application waits for something else, for Stripe's
answer most of all: the next payment of the same order waits too, and each holds a connection
(runbook 002, a timeout during the database's transaction).
"""

from __future__ import annotations

from payops.checks.contract import Check, Context
from payops.checks.sessions import Sessions, end_it, look_at, not_seen, runs, sessions, who
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: an answer of Stripe's takes 30 s at most in most SDKs
    "age": Threshold(60, 300, "s", "payops: longer than any answer of Stripe's is waited for"),
    "count": Threshold(5, 20, "count", "payops: idle for over a second, so not between statements"),
}
BETWEEN_STATEMENTS_S = 1.0
_SHOWN = 5

Facts = Sessions


def gather(ctx: Context) -> Facts:
    return sessions(ctx)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    idle = sorted(
        (
            one
            for one in facts.clients
            if one.state.startswith("idle in transaction")
            and (one.state_s or 0) >= BETWEEN_STATEMENTS_S
        ),
        key=lambda one: -(one.state_s or 0),
    )
    oldest = max((one.state_s or 0 for one in idle), default=0.0)
    measured = {"age": round(oldest, 1), "count": len(idle)}
    status = worst([limits["age"].judge(oldest), limits["count"].judge(len(idle))])
    if status is Status.OK and (unseen := not_seen(facts, "idle transactions", measured)):
        return unseen
    if not idle:
        return CheckResult(
            Status.OK, "no transaction is held open idly", as_of=facts.as_of, measured=measured
        )
    one = idle[0]
    are = "transaction is" if len(idle) == 1 else "transactions are"
    return CheckResult(
        status,
        f"{len(idle)} {are} held open idly, the longest for {human_duration(oldest)} by {who(one)}",
        as_of=facts.as_of,
        measured=measured,
        evidence=tuple(
            Evidence(
                f"{who(one)}: {one.state} for {human_duration(one.state_s or 0)}; {runs(one)}",
                "postgres",
                facts.as_of,
                {"pid": one.pid},
            )
            for one in idle[:_SHOWN]
        ),
        actions=()
        if status is Status.OK
        else (
            look_at([one.pid for one in idle[:_SHOWN]]),
            end_it(one.pid),
            Action(
                "In the application: end the transaction before Stripe is called. "
                "idle_in_transaction_session_timeout of its role limits the damage"
            ),
        ),
    )


CHECK = Check(
    title="No transaction is held open idly",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-18", "S0-52"),
)
