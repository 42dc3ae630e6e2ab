"""Are connections left, and who holds them?

Runbooks 000 ('Database Connection Issues', a pool of 20) and 003 (a pool of 20 and 30 over). When
none is left, every payment fails at the door while the database itself is well: usually a pool
that leaks, a deploy that doubled the workers, or requests that hold one while they wait for Stripe.
When the server says so itself, that is the finding.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context
from payops.checks.sessions import application, grant
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import Failure, SourceError

LIMITS = {
    # S0-52 watches the count against a pool of 20; against the server's own limit, 80 % leaves a
    # deploy's worth of room and 95 % none
    "connections": Threshold(80, 95, "%", "S0-52; share of the limit less the reserved slots"),
}
_HOLDERS = 6


@dataclass(frozen=True)
class Holder:
    """Sessions of one application in one state."""

    application: str
    role: str
    state: str
    count: int


@dataclass(frozen=True)
class Facts:
    """`used` of `usable` connections of the server, and `used_here` of this database's own limit
    (-1: none). `refused` is what the server said when it had none left for us: then nothing else
    is known. `hidden` sessions tell no state."""

    as_of: datetime
    used: int = 0
    usable: int = 0
    used_here: int = 0
    limit_here: int = -1
    holders: tuple[Holder, ...] = ()
    hidden: int = 0
    role: str = ""
    refused: str = ""


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_activity import activity
    from payops.sources.postgres_database import database

    source = ctx.sources.postgres
    try:
        server, seen, here = source.server(), activity(source), database(source)
    except SourceError as error:
        if error.kind is not Failure.TOO_MANY_CONNECTIONS:
            raise
        return Facts(ctx.now, refused=error.message)
    counted = Counter(
        (application(one), one.role, "hidden" if one.hidden else one.state or "starting")
        for one in seen.backends
        if one.is_client
    )
    return Facts(
        as_of=server.as_of,
        used=server.connections,
        usable=server.available,
        used_here=here.connections_here,
        limit_here=here.connection_limit,
        holders=tuple(Holder(*who, count) for who, count in counted.most_common()),
        hidden=seen.hidden,
        role=here.role,
    )


_LOWER = Action(
    "Lower the pool of the application that holds most, or restart it; a pgbouncer in front lets "
    "many share few. Raising max_connections needs a restart and memory"
)
_BY_STATE = (
    "select application_name, usename, state, count(*), max(now() - state_change) "
    "from pg_stat_activity group by 1, 2, 3 order by 4 desc"
)


def judge(facts: Facts, limits: Limits) -> CheckResult:
    if facts.refused:
        return _none_left(facts)
    share = 100 * facts.used / max(facts.usable, 1)
    here = 100 * facts.used_here / max(facts.limit_here, 1) if facts.limit_here >= 0 else 0.0
    status = limits["connections"].judge(max(share, here))
    if here > share:
        summary = f"{facts.used_here} of the database's own {facts.limit_here} connections used "
        summary += f"({here:.0f} %)"
    else:
        summary = f"{min(facts.used, facts.usable)} of {facts.usable} connections used"
        reserved = facts.used - facts.usable
        summary += f", and {reserved} of those reserved" if reserved > 0 else f" ({share:.0f} %)"
    most = facts.holders[0] if facts.holders else None
    if most and status is not Status.OK:
        held = sum(one.count for one in facts.holders if one.application == most.application)
        summary += f"; {most.application} holds {held}"
    actions: tuple[Action, ...] = ()
    if status is not Status.OK:
        actions = (Action("See who holds them", psql(_BY_STATE)), _LOWER)
        if facts.hidden:
            actions += (grant("pg_read_all_stats", facts.role),)
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={
            "connections": round(max(share, here), 1),
            "used": facts.used,
            "usable": facts.usable,
            "idle_in_transaction": sum(
                one.count for one in facts.holders if one.state.startswith("idle in transaction")
            ),
        },
        evidence=_holders(facts) if status is not Status.OK else (),
        actions=actions,
    )


def _none_left(facts: Facts) -> CheckResult:
    """Nobody gets in, the application neither."""
    return CheckResult(
        Status.CRIT,
        f"no connection is left: {facts.refused}",
        as_of=facts.as_of,
        measured={"connections": 100.0},
        actions=(
            Action(
                "Ask as a superuser, for whom the server keeps slots, who holds them",
                f'psql "$DSN_OF_A_SUPERUSER" -c "{_BY_STATE}"',
            ),
            _LOWER,
            Action(
                "Afterwards let payops in when it matters: reserved_connections = 3 in "
                "postgresql.conf, and GRANT pg_use_reserved_connections to its role (PostgreSQL 16)"
            ),
        ),
    )


def _holders(facts: Facts) -> tuple[Evidence, ...]:
    found = []
    for one in facts.holders[:_HOLDERS]:
        role = shortened(harmless(one.role), 40)
        sessions = "session" if one.count == 1 else "sessions"
        found.append(
            Evidence(
                f"{one.application}, role {role}: {one.count} {sessions} {one.state}",
                "postgres",
                facts.as_of,
                {"application": one.application, "state": one.state, "count": one.count},
            )
        )
    left = sum(one.count for one in facts.holders[_HOLDERS:])
    if left:
        found.append(Evidence(f"others: {left} sessions", "postgres", facts.as_of))
    return tuple(found)


CHECK = Check(
    title="Postgres has connections left",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-52", "S0-55"),
)
