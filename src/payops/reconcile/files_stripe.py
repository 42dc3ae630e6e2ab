"""Stripe's exports as rows of the spool: the Dashboard's payments, balance reports, plain columns.

Column names are those of exports published by Stripe and by people who read them: the Dashboard's
`payments.csv` (`id,Description,Seller Message,Created (UTC),Amount,Amount Refunded,Currency,…`) and
`unified_payments.csv` (`Created date (UTC)`, `PaymentIntent ID`), metadata as `KEY (metadata)`; the
itemized balance and payout reports (docs.stripe.com/reports/report-types: `created_utc`, `gross`,
`reporting_category`, `source_id`, `charge_id`, `payment_intent_id`, `payment_metadata[KEY]`), and
'All activity' (`id,Type,Source,Amount,Fee,Net,Currency,Created (UTC)`). Those are in major units;
a column named as in the API (`amount`) is in minor ones. Upper and lower case tell them apart.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from payops.errors import PayopsError
from payops.reconcile.files_duckdb import given, literal, quoted, statement, text_types, write
from payops.reconcile.files_duckdb import rows as query
from payops.reconcile.files_table import Table, unreadable
from payops.reconcile.spool_schema import KINDS

if TYPE_CHECKING:
    import duckdb

    from payops.sources.stripe_rows import Shape

_CREATED = (
    "created utc",
    "created date utc",
    "created date",
    "created",
    "created at",
    "created us",
)
_INTENT = ("paymentintent id", "payment intent id", "payment intent")
_CHARGE = ("charge id", "charge", "latest charge")
_CURRENCY = ("currency",)
_SESSION_LIVES_US = 24 * 3600 * 1_000_000


class StripeTable:
    """One exported file."""

    def __init__(self, table: Table, shape: Shape) -> None:
        self._table = table
        self._shape = shape
        self._names: dict[str, str] = {}
        for name in table.columns:
            self._names.setdefault(_plain(name), name)

    def write(self, folder: Path, number: int) -> set[str]:
        """Write its rows to `KIND-NUMBER.csv`; gives the kinds found. Raises PayopsError."""
        import duckdb

        try:
            if "reporting category" in self._names or {"type", "net"} <= set(self._names):
                return self._balance(folder, number)
            return self._payments(folder, number)
        except duckdb.Error as error:
            raise unreadable(self._table.path, error) from error

    def _payments(self, folder: Path, number: int) -> set[str]:
        """Payments, charges, refunds or disputes, told apart by their ids."""
        self._need("id", ("id", *_INTENT), "a column of ids (id, PaymentIntent ID)")
        self._need("created", _CREATED, "a column of times (Created (UTC))")
        self._need("amount", ("amount",), "a column of amounts (Amount)")
        self._need("currency", _CURRENCY, "a column of currencies (Currency)")
        rows = self._payment_rows()
        known = "kind IN ('refunds', 'disputes') OR intent_status_of(status) IS NOT NULL"
        self._check(
            rows,
            {
                "id": "coalesce(id, '') <> ''",
                "created": "created_us IS NOT NULL",
                "currency": "coalesce(currency, '') <> ''",
                "amount": "amount IS NOT NULL",
                "status": known,
            },
        )
        found = query(self._table.database, statement("kinds", rows=rows))
        kinds = {str(row[0]) for row in found} or {"intents"}
        for kind in kinds:
            template = "payments_intents" if kind in ("intents", "charges") else "payments_others"
            reason = ", reason" if kind == "refunds" else ""
            self._write(
                statement(template, rows=rows, kind=kind, reason=reason), folder, kind, number
            )
        return kinds

    def _payment_rows(self) -> str:
        minor = self._names["amount"].islower()
        currency = self._column(*_CURRENCY)
        fee_currency = self._column("converted currency", "fee currency", *_CURRENCY)

        def money(*names: str, of: str = currency) -> str:
            column = self._column(*names)
            return f"minor_of({column})" if minor else f"major_of({column}, {of})"

        column = self._column
        return statement(
            "payments_rows",
            view=self._table.view,
            id=column("id") if "id" in self._names else column(*_INTENT),
            intent=column(*_INTENT),
            charge=column(*_CHARGE),
            created=column(*_CREATED),
            status=column("status"),
            amount=money("amount"),
            amount_captured=money("amount captured", "amount received"),
            amount_refunded=money("amount refunded"),
            currency=currency,
            livemode=column("livemode", "mode"),
            captured=column("captured"),
            disputed=column("disputed"),
            disputed_amount=column("disputed amount"),
            dispute_status=column("dispute status"),
            customer=column("customer id", "customer"),
            meta_local=self._metadata(self._shape.local_keys),
            meta_order=self._metadata(self._shape.order_keys),
            session=column("checkout session id", "session"),
            failure_code=column("failure code", "decline reason"),
            fee=money("fee", of=fee_currency),
            fee_currency=fee_currency,
            reason=column("reason"),
        )

    def _balance(self, folder: Path, number: int) -> set[str]:
        """Balance transactions: what was paid, refunded and disputed."""
        self._need("created", _CREATED, "created_utc")
        self._need("currency", _CURRENCY, "currency")
        self._need("gross", ("gross", "amount"), "gross")
        self._need("source", ("source id", "source", *_CHARGE), "source_id or charge_id")
        rows = statement(
            "balance_rows",
            view=self._table.view,
            category=self._column("reporting category", "type"),
            source=self._column("source id", "source"),
            charge=self._column(*_CHARGE),
            intent=self._column(*_INTENT),
            created=self._column(*_CREATED),
            settled=self._column(*_CURRENCY),
            paid=self._column("customer facing amount"),
            paid_in=self._column("customer facing currency"),
            gross=self._column("gross", "amount"),
            fee=self._column("fee"),
            customer=self._column("customer id"),
            meta_local=self._metadata(self._shape.local_keys),
            meta_order=self._metadata(self._shape.order_keys),
        )
        self._check(
            rows,
            {
                "created": "created_us IS NOT NULL",
                "currency": "coalesce(currency, '') <> ''",
                "gross": "amount IS NOT NULL",
                "reporting_category": "coalesce(category, '') <> ''",
            },
        )
        for kind in ("charges", "refunds", "disputes"):
            self._write(statement(f"balance_{kind}", rows=rows), folder, kind, number)
        return {"charges", "refunds", "disputes"}

    def _check(self, rows: str, conditions: dict[str, str]) -> None:
        """Raise PayopsError for the first record that cannot be read."""
        cases = " ".join(
            f"WHEN NOT coalesce({condition}, false) THEN {literal(name)}"
            for name, condition in conditions.items()
        )
        found = query(self._table.database, statement("wrong", cases=cases, rows=rows))
        if not found:
            return
        ((number, name),) = found
        names = {"created": _CREATED, "gross": ("gross", "amount")}.get(name, (_plain(name),))
        value = self._table.value(
            number, [self._names[each] for each in names if each in self._names]
        )
        raise self._table.error(
            number,
            f"{name} {value!r} cannot be read" if value else f"{name} is empty",
            "times are ISO 8601 in UTC, amounts have no more decimals than their currency, "
            "and a status is one that Stripe uses",
        )

    def _write(self, select: str, folder: Path, kind: str, number: int) -> None:
        write(self._table.database, select, folder / f"{kind}-{number}.csv")

    def _need(self, what: str, names: tuple[str, ...], words: str) -> None:
        if not any(name in self._names for name in names):
            columns = ", ".join(self._table.columns[:12])
            raise PayopsError(
                f"{self._table.path}: {what} is missing: {words}",
                hint=f"its columns are {columns}; export it with all columns",
            )

    def _column(self, *names: str) -> str:
        """The first of the columns that is not empty."""
        return given([self._names[name] for name in names if name in self._names])

    def _metadata(self, keys: tuple[str, ...]) -> str:
        spelled = ("{} (metadata)", "payment_metadata[{}]", "metadata[{}]", "metadata.{}")
        wanted = [each.format(key) for key in keys for each in spelled]
        return given([each for each in wanted if each in self._table.columns])


def merge(
    database: duckdb.DuckDBPyConnection,
    folder: Path,
    kind: str,
    window: tuple[int, int],
    into: Path,
) -> int:
    """All files of one kind as one, each object once; gives how many there are.

    An intent is taken before its charges, a succeeded charge before a failed one, and an intent
    that lacks its charge's fields gets them. Refunds and disputes are kept when they are later
    than the window, a session when it is a day earlier.
    """
    columns = KINDS[kind]
    since, until = (edge * 1_000_000 for edge in window)
    rows = _read(folder, kind, columns, "0")
    chosen = [quoted(each) for each in columns]
    order = "status = 'succeeded' DESC NULLS LAST"
    if kind == "intents":
        rank = "CASE charge_status WHEN 'succeeded' THEN 1 ELSE 2 END"
        rows = f"{rows} UNION ALL {_read(folder, 'charges', columns, rank)}"
        chosen = [_or_of_charge(each) for each in columns]
        order = f"rank, {order}, TRY_CAST(charge_created_us AS BIGINT) DESC NULLS LAST"
    select = statement(
        "merge",
        columns=", ".join(map(quoted, columns)),
        chosen=", ".join(chosen),
        order=order,
        rows=rows,
        first=since - _SESSION_LIVES_US if kind == "sessions" else since,
        last=until if kind in ("intents", "sessions") else 1 << 62,
    )
    return write(database, select, into)


def _read(folder: Path, kind: str, columns: tuple[str, ...], rank: str) -> str:
    files = sorted(folder.glob(f"{kind}-*.csv"))
    if not files:
        empty = ", ".join(f"NULL::VARCHAR AS {quoted(each)}" for each in columns)
        return f"SELECT {empty}, 9 AS rank WHERE false"
    names = ", ".join(literal(str(path)) for path in files)
    return statement("read", rank=rank, names=names, types=text_types(columns))


def _or_of_charge(column: str) -> str:
    """An intent's own value, else that of its best charge."""
    name = quoted(column)
    of_charge = KINDS["intents"].index("charge") <= KINDS["intents"].index(column)
    if not of_charge and not column.startswith("meta_"):
        return name
    best = f"max_by({name}, -rank) FILTER (rank > 0) OVER (PARTITION BY id)"
    return f"coalesce({name}, {best}) AS {name}"


def _plain(name: str) -> str:
    """A column's name without case and signs: `Created (UTC)` and `created_utc` are one."""
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
