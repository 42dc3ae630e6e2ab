"""Sessions of PostgreSQL that stay: connections, open transactions, waits for a lock.

`payops lab inject` ends at once, so a process of its own holds them. It is told by its environment
what to open, and ends by itself when any of its sessions is ended: by `release`, or because the
server stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from psycopg import sql

from payops.errors import LabError
from payops.lab import processes

if TYPE_CHECKING:
    from payops.lab.scenario import Lab

_TOLD = "PAYOPS_LAB_SESSIONS"
_PASSWORD = "held by the lab"
_UP_S = 10.0
_AGAIN_S = 0.5
_BEAT_S = 0.2


@dataclass(frozen=True)
class Held:
    """A session: `statements` are done, then it stays as it is; with `waits` the last of them is
    one that does not come back, with `repeats` it is done again and again."""

    application: str
    statements: tuple[str, ...] = ()
    waits: bool = False
    repeats: bool = False


def hold(lab: Lab, sessions: Sequence[Held], *, all_slots: bool = False) -> None:
    """Open them as a role of the scenario's own; they are open when this returns. With `all_slots`
    each slot that becomes free later is taken too, as the first of them.

    Raises LabError when they are not in 10 s.
    """
    role = _role(lab)
    _make_role(lab, role)
    parts = urlsplit(lab.info.postgres_dsn)
    told = {
        "host": parts.hostname,
        "port": parts.port,
        "dbname": parts.path.strip("/"),
        "user": role,
        "password": _PASSWORD,
        "sessions": [asdict(one) for one in sessions],
        "all_slots": all_slots,
    }
    log = lab.directory / "logs" / f"{lab.scenario}.log"
    process = processes.start(
        [sys.executable, "-m", __name__],
        log=log,
        directory=lab.directory,
        environment={**os.environ, _TOLD: json.dumps(told)},
    )
    processes.wait_until(
        lambda: _open(lab, role) >= len(sessions) and _waiting(lab, role) >= _meant(sessions),
        process=process,
        what="the sessions of the scenario",
        log=log,
        seconds=_UP_S,
    )


def release(lab: Lab) -> None:
    """End the sessions of this scenario, those that wait first; nothing happens without any."""
    role = _role(lab)
    limit = time.monotonic() + _UP_S
    while _open(lab, role):
        lab.postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity "
            "WHERE usename = %s ORDER BY wait_event_type = 'Lock' DESC NULLS LAST) AS held",
            (role,),
        )
        if time.monotonic() > limit:
            raise LabError(f"the sessions of {lab.scenario} do not end", hint="payops lab down")
        time.sleep(0.02)
    lab.postgres.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def free_slots(lab: Lab) -> int:
    """How many more sessions an ordinary role can open."""
    found = lab.postgres.execute(
        "SELECT current_setting('max_connections')::int "
        "- current_setting('superuser_reserved_connections')::int "
        "- coalesce(current_setting('reserved_connections', true)::int, 0) "
        "- (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
    ).fetchone()
    return max(0, int(found[0])) if found else 0


def _role(lab: Lab) -> str:
    return f"lab_{lab.scenario}".replace("-", "_")


def _make_role(lab: Lab, role: str) -> None:
    """One that is no superuser and has no slot reserved for it, as an application's."""
    known = lab.postgres.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    if known is None:
        lab.postgres.execute(
            sql.SQL(
                "CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_read_all_data, pg_write_all_data"
            ).format(sql.Identifier(role), sql.Literal(_PASSWORD))
        )


def _meant(sessions: Sequence[Held]) -> int:
    return sum(one.waits for one in sessions)


def _open(lab: Lab, role: str) -> int:
    return _count(lab, "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", role)


def _waiting(lab: Lab, role: str) -> int:
    return _count(
        lab,
        "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'",
        role,
    )


def _count(lab: Lab, query: str, role: str) -> int:
    found = lab.postgres.execute(query, (role,)).fetchone()
    return int(found[0]) if found else 0


def _main() -> None:
    """Open what the environment tells, and stay until one of them is ended."""
    import psycopg

    told = json.loads(os.environ.pop(_TOLD))
    sessions, all_slots = told.pop("sessions"), told.pop("all_slots")
    kept = []
    for one in sessions:
        connection = psycopg.connect(
            **told, application_name=one["application"], autocommit=True, connect_timeout=5
        )
        statements = one["statements"]
        for statement in statements[: len(statements) - one["waits"]]:
            connection.execute(statement)
        kept.append(connection)
        if one["waits"] or one["repeats"]:
            act = _wait if one["waits"] else _repeat
            threading.Thread(target=act, args=(connection, statements[-1]), daemon=True).start()
    quiet = [
        connection
        for connection, one in zip(kept, sessions, strict=True)
        if not (one["waits"] or one["repeats"])
    ]
    # The server says nothing to a session that asks nothing, until it ends it.
    while not select.select([one.fileno() for one in quiet], [], [], _AGAIN_S)[0]:
        with contextlib.suppress(psycopg.OperationalError):
            while all_slots:
                name = sessions[0]["application"]
                quiet.append(psycopg.connect(**told, application_name=name, connect_timeout=5))
    os._exit(0)  # the threads that wait need not be waited for


def _wait(connection: object, statement: str) -> None:
    import psycopg

    with contextlib.suppress(psycopg.Error):
        connection.execute(statement)  # type: ignore[attr-defined]


def _repeat(connection: object, statement: str) -> None:
    """As long as the session lives; then the whole process ends, as with the others."""
    import psycopg

    with contextlib.suppress(psycopg.Error):
        while True:
            connection.execute(statement)  # type: ignore[attr-defined]
            time.sleep(_BEAT_S)
    os._exit(0)


if __name__ == "__main__":
    _main()
