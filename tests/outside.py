"""Rows about outside processors for the tests of their checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from payops.checks.outside import Connections
from payops.domain.external import Connection, Owed, OwedRow
from payops.domain.money import MoneyAtRisk
from tools import NOW

ROUTE = "https://api.example.com/api/v2/external-payment-webhooks/square"


def connection(id_: str = "1", status: str | None = "connected", **more: Any) -> Connection:
    """A square connection that is in order."""
    given: dict[str, Any] = {
        "owner": f"owner-{id_}",
        "processor": "square",
        "created_at": NOW - timedelta(days=30),
        "last_sync": NOW - timedelta(hours=1),
        "last_transaction": NOW - timedelta(hours=2),
        "expires_at": None,
        "webhook_url": ROUTE,
        "has_secret": True,
        "errors": 0,
        "last_error": None,
    }
    return Connection(id=id_, status=status, **{**given, **more})


def connections(*rows: Connection, dead_urls: tuple[str, ...] = ("/api/v1/",)) -> Connections:
    """With BookedBarber's words."""
    return Connections(
        as_of=NOW,
        rows=rows,
        connected=frozenset({"connected"}),
        pending=frozenset({"pending"}),
        expired=frozenset({"expired"}),
        retired=frozenset({"disconnected"}),
        dead_urls=dead_urls,
    )


def owed(count: int, status: str = "failed", *, hours: float = 3, minor: int = 500) -> Owed:
    """`count` collections of `minor` cents each, the oldest so many hours ago."""
    return Owed(
        status=status,
        count=count,
        money=(MoneyAtRisk("usd", minor * count, count),),
        inexact=0,
        oldest=NOW - timedelta(hours=hours),
    )


def owed_row(id_: str = "7", status: str = "failed", **more: Any) -> OwedRow:
    """One of them."""
    given: dict[str, Any] = {
        "owner": "owner-1",
        "connection": "1",
        "transaction": "11",
        "type": "commission",
        "currency": "usd",
        "minor": 500,
        "at": NOW - timedelta(hours=3),
        "reason": "account closed",
        "retries": 2,
    }
    return OwedRow(id=id_, status=status, **{**given, **more})
