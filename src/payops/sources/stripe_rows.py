"""Stripe's objects as rows: only the fields that matter are decoded, straight to CSV.

The order of a row's fields is that of the spool's columns (a test holds the two together). A row
is a tuple of texts and numbers; None is an empty field.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct, field

Row = tuple[Any, ...]


class _Named(Struct, gc=False):
    """Any expanded object of which the id is all that counts."""

    id: str | None = None


Reference = str | _Named | None


class BalanceTransaction(Struct, gc=False):
    """`balance_transaction`: the fee in the settlement currency."""

    id: str
    fee: int | None = None
    currency: str | None = None


class Charge(Struct, gc=False):
    """`charge`, inside an intent, or one of its own in a file."""

    id: str
    created: int
    status: str | None = None
    amount: int = 0
    amount_captured: int | None = None
    amount_refunded: int | None = None
    currency: str = ""
    disputed: bool | None = None
    captured: bool | None = None
    failure_code: str | None = None
    balance_transaction: BalanceTransaction | str | None = None
    payment_intent: Reference = None
    customer: Reference = None
    livemode: bool | None = None
    metadata: Any = None


class _PaymentError(Struct, gc=False):
    code: str | None = None
    decline_code: str | None = None


class Refund(Struct, gc=False):
    """`refund`."""

    id: str
    created: int
    amount: int
    currency: str
    status: str | None = None
    payment_intent: Reference = None
    charge: Reference = None
    reason: str | None = None


class Dispute(Struct, gc=False):
    """`dispute`."""

    id: str
    created: int
    amount: int
    currency: str
    status: str
    payment_intent: Reference = None
    charge: Reference = None


@dataclass(frozen=True)
class ListKind:
    """One of Stripe's lists, and how its objects become rows.

    `decode` takes a page's body to something with `data` and `has_more`; `decode_one` takes one
    object. `row` raises nothing.
    """

    name: str
    path: str
    expand: tuple[str, ...]
    decode: Callable[[bytes], Any]
    decode_one: Callable[[bytes], Any]
    row: Callable[[Any], Row]


@dataclass(frozen=True)
class Shape:
    """What the mapping needs of the objects: keys of the metadata (the first that an object has
    is taken), and whether fees are wanted, which costs an expansion more."""

    local_keys: tuple[str, ...] = ()
    order_keys: tuple[str, ...] = ()
    session_keys: tuple[str, ...] = ()
    fees: bool = False


def intents(shape: Shape) -> ListKind:
    """`/v1/payment_intents` with the latest charge."""
    metadata, local, order = _metadata(shape.local_keys, shape.order_keys)
    kind = msgspec.defstruct(
        "Intent",
        [
            ("id", str),
            ("created", int),
            ("status", str),
            ("amount", int),
            ("currency", str),
            ("amount_received", int | None, None),
            ("livemode", bool | None, None),
            ("customer", Reference, None),
            ("metadata", metadata | None, None),
            ("latest_charge", Charge | str | None, None),
            ("last_payment_error", _PaymentError | None, None),
        ],
        gc=False,
    )

    def row(intent: Any) -> Row:
        charge = intent.latest_charge
        if charge is None or charge.__class__ is str:
            of_charge: Row = (charge, None, None, None, None, None)
            failure, fee = None, None
        else:
            of_charge = (
                charge.id,
                charge.status,
                f"{charge.created}000000",
                charge.amount_captured,
                charge.amount_refunded,
                _BOOLEAN[charge.disputed],
            )
            failure, fee = charge.failure_code, charge.balance_transaction
        if failure is None and intent.last_payment_error is not None:
            failure = intent.last_payment_error.code
        of_fee = (fee.fee, fee.currency) if fee.__class__ is BalanceTransaction else (None, None)
        return (
            intent.id,
            f"{intent.created}000000",
            intent.status,
            intent.amount,
            intent.amount_received,
            intent.currency,
            _BOOLEAN[intent.livemode],
            _id(intent.customer),
            local(intent.metadata),
            order(intent.metadata),
            None,  # the session is in the list of sessions
            *of_charge,
            failure,
            *of_fee,
            None,  # an object does not tell the idempotency key of its request
        )

    expand: tuple[str, ...] = ("data.latest_charge",)
    if shape.fees:
        expand = (*expand, "data.latest_charge.balance_transaction")
    return _kind("intents", "/v1/payment_intents", expand, kind, row)


def refunds() -> ListKind:
    """`/v1/refunds`."""

    def row(refund: Refund) -> Row:
        return (
            refund.id,
            f"{refund.created}000000",
            refund.status,
            refund.amount,
            refund.currency,
            _id(refund.payment_intent),
            _id(refund.charge),
            refund.reason,
        )

    return _kind("refunds", "/v1/refunds", (), Refund, row)


def disputes() -> ListKind:
    """`/v1/disputes`."""

    def row(dispute: Dispute) -> Row:
        return (
            dispute.id,
            f"{dispute.created}000000",
            dispute.status,
            dispute.amount,
            dispute.currency,
            _id(dispute.payment_intent),
            _id(dispute.charge),
        )

    return _kind("disputes", "/v1/disputes", (), Dispute, row)


def sessions(shape: Shape) -> ListKind:
    """`/v1/checkout/sessions`."""
    metadata, local, order = _metadata(shape.session_keys, shape.order_keys)
    kind = msgspec.defstruct(
        "Session",
        [
            ("id", str),
            ("created", int),
            ("status", str | None, None),
            ("payment_status", str | None, None),
            ("payment_intent", Reference, None),
            ("amount_total", int | None, None),
            ("currency", str | None, None),
            ("metadata", metadata | None, None),
            ("client_reference_id", str | None, None),
            ("livemode", bool | None, None),
        ],
        gc=False,
    )
    by_reference = "client_reference_id" in shape.session_keys

    def row(session: Any) -> Row:
        meta_local = local(session.metadata)
        if meta_local is None and by_reference:
            meta_local = session.client_reference_id
        return (
            session.id,
            f"{session.created}000000",
            session.status,
            session.payment_status,
            _id(session.payment_intent),
            session.amount_total,
            session.currency,
            meta_local,
            order(session.metadata),
            _BOOLEAN[session.livemode],
        )

    return _kind("sessions", "/v1/checkout/sessions", (), kind, row)


def charge_as_intent(charge: Charge, shape: Shape) -> Row:
    """A charge of a file as the row of its PaymentIntent, or of itself where it has none."""
    metadata = charge.metadata if isinstance(charge.metadata, dict) else {}
    fee = charge.balance_transaction
    of_fee = (fee.fee, fee.currency) if isinstance(fee, BalanceTransaction) else (None, None)
    captured = charge.amount_captured
    if captured is None and charge.status == "succeeded":
        captured = charge.amount if charge.captured is not False else 0
    status = _INTENT_STATUS.get(charge.status or "", charge.status)
    if charge.status == "succeeded" and charge.captured is False:
        status = "requires_capture"
    return (
        _id(charge.payment_intent) or charge.id,
        f"{charge.created}000000",
        status,
        charge.amount,
        captured if charge.status == "succeeded" else 0,
        charge.currency.lower(),
        _BOOLEAN[charge.livemode],
        _id(charge.customer),
        _first(metadata, shape.local_keys),
        _first(metadata, shape.order_keys),
        None,
        charge.id,
        charge.status,
        f"{charge.created}000000",
        captured,
        charge.amount_refunded,
        _BOOLEAN[charge.disputed],
        charge.failure_code,
        *of_fee,
        None,
    )


def csv_text(rows: Iterable[Row]) -> str:
    """Rows as CSV lines.

    >>> print(csv_text([("pi_1", 1999, None), ("a 'b'", "x,y", 0)]), end="")
    pi_1,1999,
    a 'b',"x,y",0
    """
    return "".join([_line(row) for row in rows])


def _line(row: Sequence[Any]) -> str:
    line = ",".join(["" if each is None else str(each) for each in row])
    # Nearly all values are ids, words and numbers; what needs quotes shows in the line as a whole.
    if line.count(",") == len(row) - 1 and not (
        '"' in line or "\n" in line or "\r" in line or "\0" in line
    ):
        return line + "\n"
    out = io.StringIO()
    values = ["" if each is None else str(each).replace("\0", "\ufffd") for each in row]
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()


# The state of the intent when its latest charge is all that is known.
_INTENT_STATUS = {
    "succeeded": "succeeded",
    "pending": "processing",
    "failed": "requires_payment_method",
}
_BOOLEAN = {True: "true", False: "false", None: None}


def _id(reference: Reference) -> str | None:
    return reference.id if isinstance(reference, _Named) else reference


def _first(metadata: dict[str, Any], keys: Sequence[str]) -> str | None:
    return next((str(metadata[key]) for key in keys if metadata.get(key) not in (None, "")), None)


@cache
def _metadata(local: tuple[str, ...], order: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """A type of those keys of the metadata only, and what gives the first of each list."""
    keys = tuple(dict.fromkeys((*local, *order)))
    names = {key: f"k{number}" for number, key in enumerate(keys)}
    kind = msgspec.defstruct(
        "Metadata",
        [(names[key], Any, field(default=None, name=key)) for key in keys],
        gc=False,
    )

    def of(wanted: tuple[str, ...]) -> Callable[[Any], Any]:
        chosen = tuple(names[key] for key in wanted)

        def get(metadata: Any) -> Any:
            if metadata is not None:
                for name in chosen:
                    value = getattr(metadata, name)
                    if value is not None and value != "":
                        return value
            return None

        return get

    return kind, of(local), of(order)


def _kind(
    name: str, path: str, expand: tuple[str, ...], into: Any, row: Callable[[Any], Row]
) -> ListKind:
    page = msgspec.defstruct("Page", [("data", list[into]), ("has_more", bool, False)], gc=False)
    return ListKind(
        name,
        path,
        expand,
        msgspec.json.Decoder(page).decode,
        msgspec.json.Decoder(into).decode,
        row,
    )


def charge_decoder() -> Callable[[bytes], Charge]:
    """Decodes one charge."""
    return msgspec.json.Decoder(Charge).decode
