"""What outside processors took in a window."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from psycopg import sql

from payops.domain.external import ConnectionSales, OutsideSum
from payops.errors import NotConfiguredError
from payops.sources.external import SCALE, Catalog, ExternalReader, among, code_of
from payops.sources.ledger import MOST_KINDS, refuse_too_many

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.window import Window
    from payops.sources.postgres import Name, PostgresSource


@dataclass(frozen=True)
class _SumRow:
    connection: str | None
    processor: str | None
    currency: str
    count: int
    inexact: int
    minor: Decimal
    fee: Decimal
    commission: Decimal
    uncollected: Decimal


def outside_ledger(settings: Settings) -> Ledger | None:
    """The ledger of outside processors' transactions that `external:` means; None without one."""
    external = settings.external
    if external is None or external.transactions is None:
        return None
    wanted = external.transactions.ledger
    if wanted:
        return settings.ledgers.get(wanted)
    return next((one for one in settings.ledgers.values() if one.kind == "external"), None)


def connection_sales(
    source: PostgresSource, settings: Settings, window: Window
) -> tuple[ConnectionSales, ...]:
    """Transactions that took money, created in `window`, by connection and currency; the processor
    is None where no connection is mapped or the one named is not there. Raises SourceError, and
    NotConfiguredError where no outside transactions are mapped."""
    ledger, external = outside_ledger(settings), settings.external
    if ledger is None or external is None or external.transactions is None:
        raise NotConfiguredError("not used here: no outside processors' transactions are mapped")
    rows = _Sums(source, ledger, external, external.transactions, window).by_connection()
    return tuple(
        ConnectionSales(
            connection=row.connection,
            processor=row.processor,
            currency=row.currency,
            count=row.count,
            inexact=row.inexact,
            minor=int(row.minor),
            fee=int(row.fee),
            commission=int(row.commission),
            uncollected=int(row.uncollected),
        )
        for row in rows
    )


def outside_sums(
    source: PostgresSource, settings: Settings, window: Window
) -> tuple[OutsideSum, ...]:
    """The same by processor and currency, the largest count first."""
    sums: dict[tuple[str | None, str], OutsideSum] = {}
    for one in connection_sales(source, settings, window):
        key = (one.processor, one.currency)
        before = sums.get(key, OutsideSum(*key, 0, 0, 0, 0, 0, 0))
        sums[key] = OutsideSum(
            *key,
            count=before.count + one.count,
            inexact=before.inexact + one.inexact,
            minor=before.minor + one.minor,
            fee=before.fee + one.fee,
            commission=before.commission + one.commission,
            uncollected=before.uncollected + one.uncollected,
        )
    return tuple(
        sorted(sums.values(), key=lambda one: (-one.count, one.processor or "", one.currency))
    )


class _Sums(ExternalReader):
    def by_connection(self) -> list[_SumRow]:
        mapped = self._settings.connections
        connections: sql.Composable = sql.SQL(
            "SELECT NULL::text AS key, NULL::text AS processor WHERE false"
        )
        if mapped is not None:
            catalog = Catalog(self._source, mapped.table)
            connections = sql.SQL("SELECT {} AS key, {}::text AS processor FROM {}").format(
                catalog.column(mapped.columns.id, "id"),
                catalog.column(mapped.columns.processor, "processor"),
                catalog.name,
            )
        sales = Catalog(self._source, self._ledger.table)
        table, names = self._source.table(self._ledger), self._ledger.columns
        more = self._transactions.columns
        status = sql.SQL("{}::text").format(sales.column(names.status, "status"))
        if not self._ledger.match_case:
            status = sql.SQL("lower({})").format(status)
        edges = [table.created(">=", "since"), table.created("<", "until")]
        places: dict[str, Name] = {
            "table": sales.name,
            "connections": connections,
            "connection": sales.column(more.connection, "connection"),
            "code": code_of(sales.column(names.currency, "currency")),
            "digits": self._digits(sql.Identifier("code")),
            "scale": SCALE,
            "matches": sql.SQL(" AND ").join(edges),
            "is_paid": among(status, "paid"),
            "collected": sales.flag(more.commission_collected, "commission_collected"),
        }
        for place, name in (
            ("amount", names.amount),
            ("fee", names.fee),
            ("commission", more.commission_amount),
        ):
            # A group needs its column, if only one of nothing.
            column = sales.column(name, place) if name else sql.SQL("NULL::numeric")
            places[f"{place}_column"] = column
            places[place] = sales.number(name, place, at=sql.Identifier(f"raw_{place}"))
        rows = self._ask("external_outside", _SumRow, places, most=MOST_KINDS + 1)
        refuse_too_many(self._ledger, len(rows), MOST_KINDS, "connections and currencies")
        return rows
