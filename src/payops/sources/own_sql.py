"""Queries that the configuration itself brings: one SELECT, its rows as plain values.

The query stands as a subquery in one of ours. So it is one statement (a query with a parameter
goes to the server as one, and no `); DELETE` can end it), it cannot be anything but a SELECT, and
it gives no more rows than are asked for. The transaction is READ ONLY, as every other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from psycopg import sql

from payops.errors import Failure, SourceError

if TYPE_CHECKING:
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource

# A row is evidence for people; what is longer is no row to be shown.
_LONGEST = 20_000
_MOST_DIGITS = 1_000
# %(since)s and its like stay; %% and a lone % are a literal %, as whoever wrote it meant.
_PLACEHOLDER = re.compile(r"%\((since|until|now)\)s|%%|%")
_MOMENTS = {
    # By the server's clock: the times that the query compares with were written by it.
    "now": "now()",
    "since": "(now() - %(payops_since)s * interval '1 second')",
    "until": "(now() - %(payops_until)s * interval '1 second')",
}
_OUTER = (
    "SELECT CASE WHEN length(payops_row::text) <= %(payops_longest)s::int"
    " THEN row_to_json(payops_row)::text END AS document"
    " FROM (\n{query}\n) AS payops_row LIMIT %(payops_most)s::bigint"
)

Value = str | int | Decimal | bool | None
Row = Mapping[str, Value]


@dataclass(frozen=True)
class OwnRows:
    """At most as many rows as were asked for, `more` when there are others; `now` is the server's
    clock (aware UTC). A row that is too long to be shown is empty."""

    rows: tuple[Row, ...]
    more: bool
    now: datetime


@dataclass(frozen=True)
class _Document:
    document: str | None


@dataclass(frozen=True)
class _There:
    name: str
    there: bool


def own_rows(
    source: PostgresSource,
    query: str,
    *,
    window: Window,
    now: datetime,
    most: int,
    timeout: float,
    params: Mapping[str, object] | None = None,
) -> OwnRows:
    """Rows of the configuration's own query, within `timeout` seconds on the server too.

    `now` is this machine's clock, by which the window was made. Raises SourceError.
    """
    given = {
        **(params or {}),
        "payops_since": (now - window.since).total_seconds(),
        "payops_until": (now - window.until).total_seconds(),
        "payops_longest": _LONGEST,
        "payops_most": most + 1,
    }
    try:
        told = source.told_within(timeout, _composed(query), _Document, **given)
    except SourceError as error:
        raise _explained(error, timeout) from error
    rows = tuple(_row(each.document) for each in told.rows[:most])
    return OwnRows(rows, len(told.rows) > most, told.now)


def planned(source: PostgresSource, query: str) -> None:
    """Have the server plan the query, and run none of it. Raises SourceError."""
    given = {
        "payops_since": 0.0,
        "payops_until": 0.0,
        "payops_longest": _LONGEST,
        "payops_most": 0,
    }
    try:
        source.ask(_composed(query), _Document, **given)
    except SourceError as error:
        raise _explained(error, 0) from error


def missing_parts(source: PostgresSource, names: tuple[str, ...]) -> tuple[str, ...]:
    """Of tables, `schema.table` or `table.column`, those that the database has not."""
    if not names:
        return ()
    found = source.rows("own_needs", _There, names=list(names))
    return tuple(each.name for each in found if not each.there)


def _composed(query: str) -> sql.Composed:
    body = _PLACEHOLDER.sub(_placed, query.strip().rstrip(";"))
    # The operator's own words, and none of anybody else.
    return sql.Composed([sql.SQL(_OUTER.replace("{query}", body))])


def _placed(match: re.Match[str]) -> str:
    return _MOMENTS[match.group(1)] if match.group(1) else "%%"


def _row(document: str | None) -> Row:
    if document is None:
        return {}
    import json

    decoded = json.loads(document, parse_float=Decimal, parse_int=whole, parse_constant=str)
    return {str(name): _scalar(value) for name, value in decoded.items()}


def whole(digits: str) -> int | str:
    """A whole number of JSON; the text of one that Python refuses to read (4300 digits)."""
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _scalar(value: object) -> Value:
    if value is None or isinstance(value, str | bool | int | Decimal):
        return value
    import json

    return json.dumps(value, ensure_ascii=False, default=str)


def _explained(error: SourceError, timeout: float) -> SourceError:
    """What is the query's fault, and not that of the DSN or of the mapping."""
    match error.kind:
        case Failure.REJECTED:
            hint = "correct the query: it is one SELECT, and it runs in a read-only transaction"
        case Failure.SCHEMA:
            hint = error.hint.replace("the mapping in the configuration", "the query")
        case Failure.STATEMENT_TIMEOUT if "recovery" not in error.message:
            hint = f"longer than its timeout of {timeout:g} s: an index is missing, or more time"
        case _:
            return error
    return SourceError(error.source, error.kind, error.message, hint=hint, code=error.code)
