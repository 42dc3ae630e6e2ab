"""Who waits for whom, and who is at the root of it?

One session that keeps a lock holds up all that want the same rows, then those that wait for these:
payments hang until their timeouts, and the connections run out (runbook 002, a timeout during the
database's transaction). The root is what has to be looked at; payops ends no session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.checks.sessions import Sessions, end_it, look_at, runs, sessions, who
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.sources.postgres_activity import Backend

LIMITS = {
    # no runbook gives one: a row is held for milliseconds, and a customer waits for 10 s at most
    "wait": Threshold(5, 30, "s", "payops: S0-42 alerts at 10 s for a whole payment"),
    "waiting": Threshold(3, 10, "count", "payops: one or two meet by chance; S2-09"),
}
_SHOWN = 8


@dataclass(frozen=True)
class Facts:
    """All sessions, and of those that wait the ones that they wait for."""

    sessions: Sessions


def gather(ctx: Context) -> Facts:
    return Facts(sessions(ctx))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    found = facts.sessions
    waiting = sorted(
        (one for one in found.clients if one.blocked_by), key=lambda one: -(one.waiting_s or 0)
    )
    longest = max((one.waiting_s or 0 for one in waiting), default=0.0)
    measured = {"wait": round(longest, 1), "waiting": len(waiting)}
    if not waiting:
        return CheckResult(Status.OK, "nobody waits for a lock", "", found.as_of, measured=measured)
    by_pid = {one.pid: one for one in found.backends}
    held_up = roots(waiting)
    root = max(held_up, key=lambda pid: (held_up[pid], -pid))
    status = worst([limits["wait"].judge(longest), limits["waiting"].judge(len(waiting))])
    verb = "session waits" if len(waiting) == 1 else "sessions wait"
    summary = (
        f"{len(waiting)} {verb} for a lock, the longest for {human_duration(longest)}; "
        f"at the root {_named(by_pid.get(root), root)}"
    )
    evidence = [
        _root(by_pid.get(pid), pid, held_up[pid], found)
        for pid in sorted(held_up, key=lambda pid: -held_up[pid])[:3]
    ]
    evidence += [_waits(one, by_pid, found) for one in waiting[:_SHOWN]]
    return CheckResult(
        status,
        summary,
        as_of=found.as_of,
        measured=measured,
        evidence=tuple(evidence),
        actions=_actions(root) if status is not Status.OK else (),
    )


def roots(waiting: list[Backend]) -> dict[int, int]:
    """Pids that others wait for while they wait for nobody, and how many each holds up, in the end.

    Those who wait for each other in a circle have none: the first of them stands for it, until the
    server finds the deadlock itself.
    """
    waits = {one.pid: one.blocked_by for one in waiting}
    held_up: dict[int, int] = {}
    for pid in waits:
        for root in _roots_of(pid, waits):
            held_up[root] = held_up.get(root, 0) + 1
    return held_up


def _roots_of(pid: int, waits: Mapping[int, list[int]]) -> set[int]:
    seen: set[int] = set()
    ends: set[int] = set()
    ahead = [pid]
    while ahead:
        here = ahead.pop()
        if here in seen:
            continue
        seen.add(here)
        if here in waits:
            ahead += waits[here]
        else:
            ends.add(here)
    return ends or {min(seen)}


def _named(one: Backend | None, pid: int) -> str:
    if one is None:
        return "a prepared transaction" if pid == 0 else f"pid {pid}"
    return who(one)


def _root(one: Backend | None, pid: int, count: int, found: Sessions) -> Evidence:
    parts = [f"root: {_named(one, pid)} holds up {count}"]
    if one is not None:
        if one.transaction_s is not None:
            parts.append(f"its transaction is {human_duration(one.transaction_s)} old")
        if one.state:
            parts.append(f"{harmless(one.state)} for {human_duration(one.state_s or 0)}")
        parts.append(runs(one))
    return Evidence("; ".join(parts), "postgres", found.as_of, {"pid": pid, "holds_up": count})


def _waits(one: Backend, by_pid: Mapping[int, Backend], found: Sessions) -> Evidence:
    holders = [_named(by_pid.get(pid), pid) for pid in one.blocked_by[:1]]
    if len(one.blocked_by) > len(holders):
        holders.append(f"{len(one.blocked_by) - len(holders)} more")
    since = "" if one.waiting_s is None else f" for {human_duration(one.waiting_s)}"
    what = f" ({shortened(harmless(one.waiting_what), 40)})" if one.waiting_what else ""
    return Evidence(
        f"{who(one)} waits{since}{what} for {' and '.join(holders)}; {runs(one)}",
        "postgres",
        found.as_of,
        {"pid": one.pid, "blocked_by": ",".join(map(str, one.blocked_by))},
    )


def _actions(root: int) -> tuple[Action, ...]:
    if root == 0:
        return (
            Action(
                "See the prepared transaction that nobody ended: COMMIT PREPARED or ROLLBACK "
                "PREPARED by its gid ends it",
                psql("select gid, prepared, owner from pg_prepared_xacts order by 2"),
            ),
        )
    return (look_at([root]), end_it(root))


CHECK = Check(
    title="Nobody waits for a lock",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S2-18", "S0-55"),
)
