"""Connections to outside processors, what is collected for them, and how their owners are paid.

Only columns that are mapped are named. A credential is never among them: whether there is a signing
secret is asked by IS NOT NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from psycopg import sql

from payops.domain.external import ConnectAccount, Connection, Owed, OwedRow, OwnerPaid
from payops.domain.money import THREE_DECIMAL, ZERO_DECIMAL, MoneyAtRisk
from payops.errors import NotConfiguredError
from payops.sources.external import SCALE, Catalog
from payops.sources.external_sums import outside_ledger
from payops.sources.postgres import query

if TYPE_CHECKING:
    from payops.config.external import ExternalCollections, ExternalConnections, ExternalSettings
    from payops.config.settings import Settings
    from payops.sources.postgres import Name, PostgresSource
    from payops.sources.postgres_session import Told

T = TypeVar("T")

_NONE = sql.SQL("NULL::text")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """Rows, by the database's clock (aware UTC); `more` says that there are others."""

    rows: tuple[T, ...]
    as_of: datetime
    more: bool = False


@dataclass(frozen=True)
class _ConnectionRow:
    id: str
    owner: str | None
    processor: str | None
    status: str | None
    created_at: datetime | None
    last_sync: datetime | None
    last_transaction: datetime | None
    expires_at: datetime | None
    webhook_url: str | None
    has_secret: bool | None
    errors: str | None
    last_error: str | None


@dataclass(frozen=True)
class _OwedSum:
    status: str
    currency: str
    count: int
    minor: Decimal
    inexact: int
    oldest: datetime | None


@dataclass(frozen=True)
class _OwedRow:
    id: str
    owner: str | None
    connection: str | None
    transaction: str | None
    type: str | None
    status: str
    currency: str
    minor: Decimal | None
    at: datetime | None
    reason: str | None
    retries: str | None


class OutsideState:
    """Reads what `external:` maps. Every method raises SourceError, and NotConfiguredError where
    its part is not mapped."""

    def __init__(self, source: PostgresSource, settings: Settings) -> None:
        if settings.external is None:
            raise NotConfiguredError("not used here: no outside processors are mapped (external)")
        self._source = source
        self._external: ExternalSettings = settings.external
        self._ledger = outside_ledger(settings)

    def connections(self, most: int, only: str | None = None) -> Seen[Connection]:
        """Every connection, or the one with the key `only`."""
        mapped, names = self._connections(), self._connections().columns
        catalog = Catalog(self._source, mapped.table)
        secret: sql.Composable = sql.SQL("NULL::boolean")
        if names.webhook_secret:
            column = catalog.column(names.webhook_secret, "webhook_secret")
            secret = sql.SQL("{} IS NOT NULL").format(column)
        places: dict[str, Name] = {
            "connections": catalog.name,
            "id": catalog.column(names.id, "id"),
            "owner": catalog.column(names.owner, "owner"),
            "processor": catalog.column(names.processor, "processor"),
            "status": catalog.column(names.status, "status"),
            "created_at": catalog.moment(names.created_at, "created_at"),
            "last_sync": catalog.moment(names.last_sync, "last_sync"),
            "last_transaction": catalog.moment(names.last_transaction, "last_transaction"),
            "expires_at": catalog.moment(names.expires_at, "expires_at"),
            "webhook_url": catalog.column(names.webhook_url, "webhook_url"),
            "has_secret": secret,
            "errors": catalog.column(names.errors, "errors"),
            "last_error": catalog.column(names.last_error, "last_error"),
        }
        told = self._ask("external_state", _ConnectionRow, places, most=most + 1, only=only)
        rows = tuple(_connection(row) for row in told.rows)
        return Seen(rows[:most], told.now, len(rows) > most)

    def owed(
        self,
        statuses: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        of: str | None = None,
        failing: bool = False,
    ) -> Seen[Owed]:
        """Collections by status: of these statuses (all), from `since` to before `until`, of one
        connection. With `failing` their time is that of the failure, where it is mapped."""
        rows, words = self._owed(failing, statuses)
        told = self._ask(
            "external_owed",
            _OwedSum,
            {"collections": rows},
            statuses=words,
            since=since,
            until=until,
            of=of,
        )
        by_status: dict[str, list[_OwedSum]] = {}
        for row in told.rows:
            by_status.setdefault(row.status, []).append(row)
        return Seen(tuple(_summed(word, rows) for word, rows in by_status.items()), told.now)

    def owed_first(
        self,
        statuses: Sequence[str],
        most: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        of: str | None = None,
        failing: bool = False,
    ) -> Seen[OwedRow]:
        """The oldest of them, likewise."""
        found, words = self._owed(failing, statuses)
        told = self._ask(
            "external_owed_first",
            _OwedRow,
            {"collections": found},
            statuses=words,
            since=since,
            until=until,
            of=of,
            most=most + 1,
        )
        rows = tuple(_owed_row(row) for row in told.rows)
        return Seen(rows[:most], told.now, len(rows) > most)

    def owners(self, most: int) -> Seen[OwnerPaid]:
        """How owners are paid: each with a configuration, and each whom outside processors pay."""
        external = self._external
        if external.configs is None and external.owners is None:
            raise NotConfiguredError(
                "not used here: no configuration of owners is mapped (external.configs)"
            )
        connected = external.connections.connected if external.connections else ()
        told = self._ask(
            "external_paid",
            OwnerPaid,
            {
                "owners": self._people(),
                "configs": self._configs(),
                "connections": self._own(),
                "has_connections": sql.SQL("true" if self._own_mapped() else "false"),
            },
            connected=_lower(connected),
            outside=_lower(external.outside_modes),
            most=most + 1,
        )
        return Seen(tuple(told.rows[:most]), told.now, len(told.rows) > most)

    def accounts(self, most: int) -> Seen[ConnectAccount]:
        """Owners with an account at Stripe Connect, the newest first."""
        mapped = self._external.owners
        if mapped is None or not mapped.columns.account:
            raise NotConfiguredError("not used here: no Connect accounts of owners are mapped")
        catalog = Catalog(self._source, mapped.table)
        places: dict[str, Name] = {
            "owners": catalog.name,
            "id": catalog.column(mapped.columns.id, "id"),
            "account": catalog.column(mapped.columns.account, "account"),
        }
        told = self._ask("external_accounts", ConnectAccount, places, most=most + 1)
        return Seen(tuple(told.rows[:most]), told.now, len(told.rows) > most)

    def _connections(self) -> ExternalConnections:
        mapped = self._external.connections
        if mapped is None:
            raise NotConfiguredError(
                "not used here: no connections to outside processors are mapped"
            )
        return mapped

    def _collections(self) -> ExternalCollections:
        mapped = self._external.collections
        if mapped is None:
            raise NotConfiguredError("not used here: external.collections is not mapped")
        return mapped

    def _owed(
        self, failing: bool, statuses: Sequence[str] | None
    ) -> tuple[sql.Composed, list[str] | None]:
        mapped = self._collections()
        catalog, names = Catalog(self._source, mapped.table), mapped.columns
        at = catalog.moment(names.created_at, "created_at")
        if failing and names.failed_at:
            failed = catalog.moment(names.failed_at, "failed_at")
            at = sql.SQL("coalesce({}, {})").format(failed, at)
        code = sql.SQL("coalesce(nullif(trim({}::text), ''), %(code)s::text)").format(
            catalog.column(names.currency, "currency")
        )
        digits: sql.Composable = sql.SQL("0")
        if self._ledger is None or self._ledger.amount_unit == "major":
            digits = sql.SQL(
                "CASE WHEN lower({0}) = ANY(%(zero_decimal)s::text[]) THEN 0"
                " WHEN lower({0}) = ANY(%(three_decimal)s::text[]) THEN 3 ELSE 2 END"
            ).format(code)
        of_status: sql.Composable = sql.SQL("true")
        words: list[str] | None = None
        if statuses is not None:
            of_status, words = catalog.is_one_of(names.status, "status", statuses)
        rows = query(
            "external_owed_rows",
            {
                "table": catalog.name,
                "of_status": of_status,
                "id": catalog.column(names.id, "id"),
                "owner": catalog.column(names.owner, "owner"),
                "connection": catalog.column(names.connection, "connection"),
                "transaction": catalog.column(names.transaction, "transaction"),
                "type": catalog.column(names.type, "type"),
                "status": catalog.column(names.status, "status"),
                "code": code,
                "digits": digits,
                "scale": SCALE,
                "amount": catalog.number(names.amount, "amount"),
                "at": at,
                "reason": catalog.column(names.reason, "reason"),
                "retries": catalog.column(names.retries, "retries"),
            },
        )
        return rows, words

    def _people(self) -> sql.Composable:
        mapped = self._external.owners
        if mapped is None:
            return sql.SQL("SELECT NULL::text AS id, NULL::text AS mode WHERE false")
        catalog = Catalog(self._source, mapped.table)
        return sql.SQL("SELECT {}::text AS id, lower({}::text) AS mode FROM {}").format(
            catalog.column(mapped.columns.id, "id"),
            catalog.column(mapped.columns.mode, "mode"),
            catalog.name,
        )

    def _configs(self) -> sql.Composable:
        mapped = self._external.configs
        words = ("min_external", "max_platform", "minimum_collection", "maximum_outstanding")
        if mapped is None:
            blank = ", ".join(f"NULL::text AS {word}" for word in ("owner", "mode", "main", *words))
            return sql.SQL("SELECT " + blank + " WHERE false")
        catalog, names = Catalog(self._source, mapped.table), mapped.columns
        numbers = [
            sql.SQL("{} AS {}").format(
                catalog.text(getattr(names, word), word), sql.Identifier(word)
            )
            for word in words
        ]
        return sql.SQL(
            "SELECT {}::text AS owner, lower({}::text) AS mode, lower({}::text) AS main, {} FROM {}"
        ).format(
            catalog.column(names.owner, "owner"),
            catalog.column(names.mode, "mode"),
            catalog.column(names.primary, "primary"),
            sql.SQL(", ").join(numbers),
            catalog.name,
        )

    def _own_mapped(self) -> bool:
        mapped = self._external.connections
        return bool(mapped and mapped.columns.owner and mapped.columns.status)

    def _own(self) -> sql.Composable:
        mapped = self._external.connections
        if mapped is None or not self._own_mapped():
            none = "SELECT {0} AS owner, {0} AS processor, {0} AS status WHERE false"
            return sql.SQL(none).format(_NONE)
        catalog = Catalog(self._source, mapped.table)
        return sql.SQL(
            "SELECT {}::text AS owner, lower({}::text) AS processor, lower({}::text) AS status"
            " FROM {}"
        ).format(
            catalog.column(mapped.columns.owner, "owner"),
            catalog.column(mapped.columns.processor, "processor"),
            catalog.column(mapped.columns.status, "status"),
            catalog.name,
        )

    def _ask(self, name: str, into: type[T], places: dict[str, Name], **params: Any) -> Told[T]:
        return self._source.told(
            name,
            into,
            identifiers=places,
            zone=self._external.timezone,
            code=self._ledger.currency if self._ledger else "usd",
            zero_decimal=sorted(ZERO_DECIMAL),
            three_decimal=sorted(THREE_DECIMAL),
            **params,
        )


def _lower(words: Sequence[str] | None) -> list[str] | None:
    return None if words is None else [word.lower() for word in words]


def _connection(row: _ConnectionRow) -> Connection:
    return Connection(
        id=row.id,
        owner=row.owner,
        processor=row.processor,
        status=row.status,
        created_at=_utc(row.created_at),
        last_sync=_utc(row.last_sync),
        last_transaction=_utc(row.last_transaction),
        expires_at=_utc(row.expires_at),
        webhook_url=row.webhook_url,
        has_secret=row.has_secret,
        errors=_whole(row.errors),
        last_error=row.last_error,
    )


def _summed(status: str, rows: Sequence[_OwedSum]) -> Owed:
    money = [
        MoneyAtRisk(row.currency, int(row.minor), row.count - row.inexact)
        for row in rows
        if row.count > row.inexact
    ]
    return Owed(
        status=status,
        count=sum(row.count for row in rows),
        money=tuple(sorted(money, key=lambda one: (-one.count, one.currency))),
        inexact=sum(row.inexact for row in rows),
        oldest=min((moment for row in rows if (moment := _utc(row.oldest))), default=None),
    )


def _owed_row(row: _OwedRow) -> OwedRow:
    return OwedRow(
        id=row.id,
        owner=row.owner,
        connection=row.connection,
        transaction=row.transaction,
        type=row.type,
        status=row.status,
        currency=row.currency,
        minor=None if row.minor is None else int(row.minor),
        at=_utc(row.at),
        reason=row.reason,
        retries=_whole(row.retries),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdigit() and text.isascii() else None


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
