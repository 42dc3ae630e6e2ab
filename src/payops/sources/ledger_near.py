"""Rows of a ledger by an amount and a time, or the newest of one customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from payops.sources.ledger_copy_columns import columns_of
from payops.sources.lookup import NamedRow

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from payops.config.ledger import Ledger
    from payops.domain.window import Window
    from payops.sources.postgres import PostgresSource


def rows_around(
    source: PostgresSource, ledger: Ledger, window: Window, amounts: Sequence[Decimal], most: int
) -> list[NamedRow]:
    """Rows made in the window whose stored amount is one of `amounts` (as the table has it, with
    or without what is deducted), newest first. Raises SourceError."""
    columns = columns_of(source, ledger)
    expressions = columns.expressions()
    amount, deduction = expressions["amount"], expressions["deduction"]
    same = sql.SQL(
        "({amount})::numeric = ANY(%(amounts)s::numeric[]) OR ({amount})::numeric"
        " - coalesce(({deduction})::numeric, 0) = ANY(%(amounts)s::numeric[])"
    ).format(amount=amount, deduction=deduction)
    table = columns.table
    made = sql.SQL(" AND ").join([table.created(">=", "since"), table.created("<", "until")])
    return source.rows(
        "ledger_near",
        NamedRow,
        identifiers={
            **expressions,
            "matches": sql.SQL("({}) AND ({})").format(made, same),
        },
        zone=ledger.timezone,
        currency=ledger.currency.lower(),
        amounts=[str(each) for each in amounts],
        since=window.since,
        until=window.until,
        most=most,
    )


def rows_since(
    source: PostgresSource, ledger: Ledger, since: datetime, most: int
) -> list[NamedRow]:
    """The newest rows made since then, at most `most`. Raises SourceError."""
    columns = columns_of(source, ledger)
    return source.rows(
        "ledger_near",
        NamedRow,
        identifiers={
            **columns.expressions(),
            "matches": columns.table.created(">=", "since"),
        },
        zone=ledger.timezone,
        currency=ledger.currency.lower(),
        since=since,
        most=most,
    )


def rows_newest(
    source: PostgresSource, ledger: Ledger, word: str, value: str, most: int
) -> list[NamedRow]:
    """The newest rows whose column `word` of the mapping holds `value`; none where it is not
    mapped. Raises SourceError."""
    name = getattr(ledger.columns, word)
    if not name or "\0" in value:
        return []
    columns = columns_of(source, ledger)
    matches = sql.SQL("{}::text = %(value)s").format(columns.table.column(name))
    return source.rows(
        "ledger_near",
        NamedRow,
        identifiers={**columns.expressions(), "matches": matches},
        zone=ledger.timezone,
        currency=ledger.currency.lower(),
        value=value,
        most=most,
    )
