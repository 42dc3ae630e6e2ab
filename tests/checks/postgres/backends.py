"""Sessions as the tables of the tests need them."""

from __future__ import annotations

from typing import Any

from payops.checks.sessions import Sessions
from payops.sources.postgres_activity import Backend
from tools import NOW


def backend(pid: int = 1, **given: Any) -> Backend:
    """A client's session that is idle."""
    return Backend(
        **{
            "pid": pid,
            "application": "shop",
            "role": "app",
            "database": "shop",
            "client": "10.0.0.1",
            "kind": "client backend",
            "hidden": False,
            "state": "idle",
            "waits_for": "",
            "transaction_s": None,
            "query_s": None,
            "state_s": 0.5,
            "query": "SELECT 1",
            "blocked_by": [],
            "waiting_s": None,
            "waiting_what": "",
            **given,
        }
    )


def hidden(pid: int = 99) -> Backend:
    """One of another role's."""
    return backend(pid, hidden=True, kind="", state="", query="", client="", state_s=None)


def seen(*backends: Backend, prepared_s: float | None = None) -> Sessions:
    """What a check of sessions is given."""
    count = sum(one.hidden for one in backends)
    return Sessions(NOW, tuple(backends), count, "payops", prepared_s)
