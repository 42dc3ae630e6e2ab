"""Clocks: ours, and the one in an answer's `Date` header."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Our own clock, aware UTC."""
    return datetime.now(UTC)


def http_date(text: str | None) -> datetime | None:
    """A `Date` header (whole seconds) as aware UTC; None when it is missing or unreadable.

    >>> http_date("Wed, 11 Feb 2026 09:30:00 GMT").isoformat()
    '2026-02-11T09:30:00+00:00'
    """
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
