"""A list request as SQL: one index range, in Stripe's order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from payops.lab.stripe.rows import ARRIVALS_PER_SECOND

INDEXES: dict[str, str] = {
    "objects_kind": "(kind, scope)",
    "objects_customer": "(kind, scope, customer) WHERE customer IS NOT NULL",
    "objects_payment_intent": "(kind, scope, payment_intent) WHERE payment_intent IS NOT NULL",
    "objects_charge": "(kind, scope, charge) WHERE charge IS NOT NULL",
    "objects_payout": "(kind, scope, payout) WHERE payout IS NOT NULL",
    "objects_source": "(kind, scope, source) WHERE source IS NOT NULL",
    "objects_type": "(kind, scope, type) WHERE type IS NOT NULL",
    "objects_status": "(kind, scope, status) WHERE status IS NOT NULL",
    "objects_email": "(kind, scope, email) WHERE email IS NOT NULL",
    "objects_undelivered": "(kind, scope, undelivered) WHERE undelivered IS NOT NULL",
    "objects_undelivered_type": "(kind, scope, undelivered, type) WHERE undelivered IS NOT NULL",
}
"""Secondary indexes; SQLite ends each with the primary key, which is the order of a list."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of whole seconds: `first` inclusive, `end` exclusive, each may be open."""

    first: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What one list request asks.

    `equal` maps columns to values, `fields` paths in the body to values (no index: rare
    filters). `types` are the exact types to take, None for all. `after` and `before` are
    positions of the cursors; at most one is set.
    """

    kind: str
    scope: str
    limit: int = 10
    created: Bounds = Bounds()
    arrival_date: Bounds = Bounds()
    equal: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] | None = None
    undelivered: bool | None = None
    after: int | None = None
    before: int | None = None


def statement(query: ListQuery) -> tuple[str, list[Any]]:
    """SQL and its values: bodies of `limit + 1` objects, nearest to the cursor first."""
    order = "ASC" if query.before is not None else "DESC"
    types = query.types
    if types is None or len(types) == 1:
        inner, values = _range(query, types[0] if types else None, "body", order)
        return inner, values
    if not types:
        return "SELECT body FROM objects WHERE 0", []
    # Several types: the newest of each are read from the index, then merged.
    parts: list[str] = []
    merged: list[Any] = []
    for one in types:
        inner, values = _range(query, one, "position", order)
        parts.append(f"SELECT * FROM ({inner})")  # noqa: S608  column names are ours
        merged += values
    union = " UNION ALL ".join(parts)
    sql = (
        f"SELECT body FROM objects WHERE position IN ({union}) "  # noqa: S608
        f"ORDER BY position {order} LIMIT ?"
    )
    return sql, [*merged, query.limit + 1]


def _range(query: ListQuery, type_: str | None, column: str, order: str) -> tuple[str, list[Any]]:
    where = ["kind = ?", "scope = ?"]
    values: list[Any] = [query.kind, query.scope]

    def add(condition: str, *bound: Any) -> None:
        where.append(condition)
        values.extend(bound)

    for name, value in query.equal.items():
        add(f"{name} = ?", value)
    if query.undelivered is not None:
        add("undelivered = ?", int(query.undelivered))
    if type_ is not None:
        add("type = ?", type_)
    for path, value in query.fields.items():
        add("json_extract(CAST(body AS TEXT), ?) = ?", f"$.{path}", value)
    first, end = query.created.first, query.created.end
    if first is not None:
        add("position >= ?", _second(first))
    if end is not None:
        add("position < ?", _second(end))
    if query.after is not None:
        add("position < ?", query.after)
    if query.before is not None:
        add("position > ?", query.before)
    if query.arrival_date.first is not None:
        add("arrival_date >= ?", query.arrival_date.first)
    if query.arrival_date.end is not None:
        add("arrival_date < ?", query.arrival_date.end)
    sql = (
        f"SELECT {column} FROM objects WHERE {' AND '.join(where)} "  # noqa: S608
        f"ORDER BY position {order} LIMIT ?"
    )
    return sql, [*values, query.limit + 1]


def _second(created: int) -> int:
    """The position at which a second of `created` begins; beyond all rows when out of range."""
    return min(max(created, 0), 1 << 33) * ARRIVALS_PER_SECOND
