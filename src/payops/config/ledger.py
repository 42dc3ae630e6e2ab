"""`ledgers:`: the tables of yours that record payments."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from payops.config.section import Section, named, zone

PaymentWord = Literal[
    "pending",
    "processing",
    "requires_action",
    "succeeded",
    "failed",
    "canceled",
    "refunded",
    "partially_refunded",
    "disputed",
]


class LedgerColumns(Section, frozen=True):
    """Names of the columns, as the database spells them. Leave out what the table lacks."""

    id: Annotated[str, Meta(description="Primary key: uuid, bigint or text")]
    status: Annotated[str, Meta(description="State; text or enum")]
    amount: Annotated[str, Meta(description="Amount; see amount_unit")]
    created_at: Annotated[str, Meta(description="When the row was made")]
    processor_ref: Annotated[
        str, Meta(description="PaymentIntent id (pi_…), or re_… of a refund")
    ] = ""
    charge_ref: Annotated[str, Meta(description="Charge id (ch_…)")] = ""
    session_ref: Annotated[str, Meta(description="Checkout Session id (cs_…)")] = ""
    currency: Annotated[str, Meta(description="Currency code column")] = ""
    updated_at: Annotated[str, Meta(description="Last change")] = ""
    completed_at: Annotated[str, Meta(description="When it succeeded")] = ""
    idempotency_key: Annotated[str, Meta(description="Idempotency-Key sent to Stripe")] = ""
    order_id: Annotated[str, Meta(description="What was paid for")] = ""
    customer_id: Annotated[str, Meta(description="Who paid")] = ""
    customer_email: Annotated[str, Meta(description="Contact; read only on request")] = ""
    failure_code: Annotated[
        str, Meta(description="Why it failed: Stripe's code, decline code or own word")
    ] = ""
    payment_id: Annotated[str, Meta(description="Of a refund: the payment's key")] = ""
    deduction: Annotated[
        str, Meta(description="Part of the amount that Stripe never sees: a gift card used")
    ] = ""
    refunded_amount: Annotated[str, Meta(description="Refunded so far, in amount_unit")] = ""
    fee: Annotated[str, Meta(description="Stripe's fee as recorded, in amount_unit")] = ""


class References(Section, frozen=True):
    """Keys of Stripe's metadata that name a local row."""

    local_id: Annotated[str, Meta(description="On the PaymentIntent: holds the row's key")] = ""
    order_id: Annotated[str, Meta(description="On the PaymentIntent: holds order_id")] = ""
    session_local_id: Annotated[
        str, Meta(description="On the Checkout Session: holds the row's key")
    ] = ""


class FixWhen(Section, frozen=True):
    """Which discrepancies a fix is for. `local` and `stripe` are payops' and Stripe's words."""

    match_class: Annotated[str, Meta(description="status_mismatch, refund_missing, …")]
    local: Annotated[tuple[PaymentWord, ...], Meta(description="Row's state, payops' word")] = ()
    stripe: Annotated[tuple[str, ...], Meta(description="PaymentIntent's status")] = ()


class Fix(Section, frozen=True):
    """A discrepancy that may become a change: columns of the table and their new values.

    A value is literal text, null, or one of @now, @created, @succeeded_at, @payment_intent,
    @charge, @refund, @failure_code, @amount, @currency, @local_id, @uuid, from the evidence.
    """

    when: Annotated[FixWhen, Meta(description="Which discrepancies")]
    why: Annotated[str, Meta(description="Shown in the plan, and kept in the journal")]
    set: Annotated[
        dict[str, str | int | bool | None], Meta(description="column: new value, in the row")
    ] = {}
    insert_into: Annotated[str, Meta(description="Ledger that gets a new row instead")] = ""
    risk: Annotated[str, Meta(description="What could go wrong, one line")] = ""


class Ledger(Section, frozen=True):
    """A table of yours that records payments, refunds, or an outside processor's transactions."""

    table: Annotated[
        str, Meta(description="Table, or schema.table; exactly as spelled in the catalog")
    ]
    columns: LedgerColumns
    statuses: Annotated[
        dict[PaymentWord, tuple[str, ...]],
        Meta(
            description="payops' word: the table's own values; one in no list is named, not guessed"
        ),
    ]
    kind: Annotated[
        Literal["payments", "refunds", "external"],
        Meta(description="What a row is; external: of another processor than Stripe"),
    ] = "payments"
    amount_unit: Annotated[
        Literal["minor", "major"], Meta(description="minor: 1999 is $19.99; major: 19.99 is")
    ] = "minor"
    currency: Annotated[
        str, Meta(description="Used where no currency column is, or it is NULL")
    ] = "usd"
    timezone: Annotated[str, Meta(description="Zone of timestamps without one (IANA name)")] = "UTC"
    issuer_declines: Annotated[
        tuple[str, ...],
        Meta(description="Values of failure_code, beside Stripe's own, that mean the bank said no"),
    ] = ()
    match_case: Annotated[bool, Meta(description="false: statuses are compared case-blind")] = True
    references: Annotated[
        References, Meta(description="Keys of Stripe's metadata that name a row")
    ] = field(default_factory=References)
    contact_query: Annotated[
        str, Meta(description="SQL giving (key, contact) for the keys in %(keys)s; on request only")
    ] = ""
    truncated_cents: Annotated[
        bool, Meta(description="Cents are cut by float: one minor unit less is a known quirk")
    ] = False
    quirks: Annotated[
        dict[str, str], Meta(description="Class of discrepancy: what is known of it here")
    ] = {}
    fixes: Annotated[
        tuple[Fix, ...], Meta(description="Which discrepancies may be put right, and how")
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        named(self.table, "table")
        for column in ("id", "status", "amount", "created_at"):
            named(getattr(self.columns, column), f"columns.{column}")
        zone(self.timezone)
        owners: dict[str, str] = {}
        for word, values in self.statuses.items():
            for value in values:
                if owners.setdefault(value, word) != word:
                    raise ValueError(
                        f".statuses.{word}: {value!r} stands under {owners[value]} already: "
                        "one value can mean one thing only"
                    )
