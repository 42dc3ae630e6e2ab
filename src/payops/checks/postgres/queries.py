"""How long has the longest statement been running?

Runbook 000 looks for slow queries: a report without an index, or a plan gone wrong, takes disk and
processors from the payments.
"""

from __future__ import annotations

from payops.checks.contract import Check, Context
from payops.checks.sessions import Sessions, end_it, look_at, not_seen, runs, sessions, who
from payops.domain.duration import human_duration
from payops.domain.evidence import Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # no runbook gives one: nobody waits in front of a screen for half a minute
    "age": Threshold(30, 300, "s", "payops: S0-43 calls 10 s slow for a whole payment"),
}
_SHOWN = 3

Facts = Sessions


def gather(ctx: Context) -> Facts:
    return sessions(ctx)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    running = sorted(
        (one for one in facts.clients if one.state == "active" and one.query_s is not None),
        key=lambda one: -(one.query_s or 0),
    )
    longest = max((one.query_s or 0 for one in running), default=0.0)
    measured = {"age": round(longest, 1)}
    status = limits["age"].judge(longest)
    if status is Status.OK and (unseen := not_seen(facts, "the longest statement", measured)):
        return unseen
    summary = "no statement is running"
    if running:
        count = "1 statement runs" if len(running) == 1 else f"{len(running)} statements run"
        summary = f"{count}, the longest for {human_duration(longest)}: {who(running[0])}"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured=measured,
        evidence=tuple(
            Evidence(
                f"{who(one)}: for {human_duration(one.query_s or 0)} {runs(one)}",
                "postgres",
                facts.as_of,
                {"pid": one.pid},
            )
            for one in running[:_SHOWN]
            if status is not Status.OK
        ),
        actions=(look_at([running[0].pid]), end_it(running[0].pid))
        if status is not Status.OK
        else (),
    )


CHECK = Check(
    title="No statement runs for long",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-53", "S0-43"),
)
