"""What the checks of sessions share: the sessions, who each is, and what a role may not see."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.by_hand import psql
from payops.domain.evidence import Action, Scalar
from payops.domain.result import CheckResult
from payops.domain.statement import shown
from payops.domain.status import Status
from payops.domain.text import harmless, shortened

if TYPE_CHECKING:
    from payops.checks.contract import Context
    from payops.sources.postgres_activity import Backend

_LONGEST_NAME = 40


@dataclass(frozen=True)
class Sessions:
    """Sessions of the server but payops' own; `hidden` of them could not be looked into by `role`.

    `prepared_s` is the age of the oldest prepared transaction, which no session holds.
    """

    as_of: datetime
    backends: tuple[Backend, ...]
    hidden: int
    role: str
    prepared_s: float | None = None

    @property
    def clients(self) -> tuple[Backend, ...]:
        """Those of the application and of people: not the server's own workers."""
        return tuple(one for one in self.backends if one.is_client)


def sessions(ctx: Context) -> Sessions:
    """Asked once for all checks of a run. Raises SourceError."""
    from payops.sources.postgres_activity import activity
    from payops.sources.postgres_database import database

    seen = activity(ctx.sources.postgres)
    facts = database(ctx.sources.postgres)
    return Sessions(
        as_of=seen.as_of,
        backends=tuple(one for one in seen.backends if not one.is_ours),
        hidden=seen.hidden,
        role=facts.role,
        prepared_s=facts.oldest_prepared_s,
    )


def who(one: Backend) -> str:
    """`settlement-job (pid 4711, role shop)`; names are text from outside."""
    parts = [f"pid {one.pid}"]
    parts += [f"role {_name(one.role)}"] if one.role else []
    parts += [f"from {one.client}"] if one.client else []
    return f"{application(one)} ({', '.join(parts)})"


def application(one: Backend) -> str:
    """The name that it gave itself, or who it is."""
    if one.application:
        return _name(one.application)
    return one.kind if one.kind not in ("", "client backend") else "a nameless application"


def runs(one: Backend) -> str:
    """Its statement, fit to be shown; says so where it may not be seen."""
    if one.hidden:
        return "its statement may not be seen"
    text = shown(one.query)
    if not text:
        return "no statement yet"
    return f"runs {text}" if one.state == "active" else f"last ran {text}"


def look_at(pids: list[int]) -> Action:
    """The query that shows these sessions. What becomes of them is a person's to decide."""
    among = ", ".join(str(pid) for pid in pids)
    query = "select * from pg_stat_activity where pid in"
    return Action("See what it is, and whose", psql(f"{query} ({among})", option="-x"))


def end_it(pid: int) -> Action:
    """How a session is ended; payops ends none."""
    return Action(
        "payops ends no session. When its owner agrees: pg_cancel_backend ends its statement, "
        f"pg_terminate_backend({pid}) the session, and its transaction is rolled back"
    )


def not_seen(found: Sessions, what: str, measured: Mapping[str, Scalar]) -> CheckResult | None:
    """SKIP where nothing can be said, since sessions are hidden; None when all can be seen."""
    if not found.hidden:
        return None
    return CheckResult(
        Status.SKIP,
        f"{what} cannot be told: role {_name(found.role)} may not look into {found.hidden} of "
        f"{len(found.backends)} sessions",
        as_of=found.as_of,
        measured=measured,
        actions=(grant("pg_read_all_stats", found.role),),
    )


def grant(right: str, role: str) -> Action:
    """The privilege that is missing, as the statement that gives it."""
    quoted = '"' + role.replace('"', '""') + '"'
    statement = f"GRANT {right} TO {quoted}"
    printable = role.isprintable() and "\n" not in role
    command = f'psql "$DSN_OF_AN_OWNER" -c {shlex.quote(statement)}' if printable else ""
    return Action(f"Let a superuser give it: {harmless(statement)};", command)


def _name(name: str) -> str:
    return shortened(harmless(name), _LONGEST_NAME)
