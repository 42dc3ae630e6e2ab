"""Rows for a database, before anybody talks to one; and the ways in which systems write values."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Table:
    """Rows of one table, each with a value for every one of `columns`; JSON comes as text."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[object]]


def major(minor: int, decimals: int = 2) -> Decimal:
    """An amount in major units.

    >>> major(1999), major(5)
    (Decimal('19.99'), Decimal('0.05'))
    """
    return Decimal(minor).scaleb(-decimals)


def naive(moment: datetime | None) -> datetime | None:
    """A time in UTC as a column without zone keeps it."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def at(epoch_s: float) -> datetime:
    """The moment of an epoch second, in UTC."""
    return datetime.fromtimestamp(epoch_s, UTC)


def named_uuid(kind: str, key: object) -> uuid.UUID:
    """The same id for the same thing, every time.

    >>> named_uuid("user", "cus_1") == named_uuid("user", "cus_1") != named_uuid("course", "cus_1")
    True
    """
    return uuid.uuid5(uuid.NAMESPACE_URL, f"payops lab {kind} {key}")
