"""What an id means: payments to trace, candidates, or an answer; and what finding them shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.domain.evidence import Action
from payops.domain.money import Money
from payops.sources.stripe_payment import (
    Intent,
)
from payops.trace.gather import Subject, named_at_stripe
from payops.trace.gather_ledger import meta, rows_by_names
from payops.trace.gather_stripe import Page
from payops.trace.ids import Kind
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow

RECENT = 5
# A row is made just before Stripe is asked, or just after it answered.
_NEAR = timedelta(minutes=2)


@dataclass(frozen=True)
class Candidate:
    """A payment that may be meant: how to ask for it, when it was made, what it is."""

    ask: str
    what: str
    at: datetime | None = None
    money: Money | None = None
    status: str = ""


@dataclass(frozen=True)
class Found:
    """What an id means. `subjects` are the payments to trace; without any, `answer` says why, and
    `candidates` what may be meant. `is_` is what the id is."""

    is_: str
    subjects: tuple[Subject, ...] = ()
    answer: str = ""
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    unknown: bool = False


def no_such(reach: Reach, noun: str, id_: str, other_mode: bool) -> str:
    """Why there is no such object for our key."""
    mode = {True: "live", False: "test", None: "another"}[reach.livemode]
    if other_mode:
        other = {"live": "test", "test": "live"}.get(mode, "the other")
        return (
            f"{id_} exists in {other} mode, and the configured key is a {mode} key: "
            "it is of another environment"
        )
    account = reach.settings.stripe.account if reach.settings.stripe else ""
    return (
        f"Stripe has no {noun} {id_} for this key"
        + (f" (account {account}, {mode} mode)" if account else f" ({mode} mode)")
        + ", and no mapped ledger names it: another account's, or mistyped"
    )


def rows_naming(reach: Reach, kind: Kind, id_: str) -> tuple[LedgerRow, ...]:
    if kind is Kind.REFUND:
        refunds = rows_by_names(reach, {"processor_ref": [id_]}, "refunds") or ()
        keys = [one.row.payment_key for one in refunds if one.row.payment_key]
        return (rows_by_names(reach, {"id": keys}) or ()) if keys else ()
    if kind in (Kind.INTENT, Kind.CHARGE, Kind.SESSION):
        names = {"processor_ref": [id_], "charge_ref": [id_], "session_ref": [id_]}
        return rows_by_names(reach, names) or ()
    return ()


def intent_of(rows: tuple[LedgerRow, ...]) -> str:
    return next((ref for row in rows for ref in row.references if ref.startswith("pi_")), "")


def candidate(ask: str, row: LedgerRow, more: int = 0) -> Candidate:
    what = f"row {row.key} of {row.name}" + (f" and {more} more" if more else "")
    return Candidate(ask, what, row.created, row.money, row.row.status or "")


def subject_of_row(reach: Reach, rows: tuple[LedgerRow, ...]) -> Subject:
    found = named_at_stripe(reach, rows)
    if found.intent or found.charge or found.absent or found.session:
        return found
    return Subject(_intent_naming(reach, rows[0]), rows=rows)


def _intent_naming(reach: Reach, row: LedgerRow) -> str:
    """The intent whose metadata names this row, made about when the row was; empty without one.

    A row that names nothing at Stripe may all the same have been charged: the answer was lost.
    """
    names = row.ledger.references
    made = row.created
    if made is None or not (names.local_id or names.order_id):
        return ""
    page = reach.stripe(
        "the payments of that time",
        "/v1/payment_intents",
        Page[Intent],
        created={
            "gte": int((made - _NEAR).timestamp()),
            "lte": int((made + _NEAR).timestamp()),
        },
        limit=100,
    )
    if page is None:
        return ""
    for word, value in (("local_id", row.key), ("order_id", row.row.order_id or "")):
        named = [one for one in page.data if value and meta(one, row.ledger, word) == value]
        if named and (word == "local_id" or len(named) == 1):
            # Of several attempts for one row the one that took money is its own.
            return max(named, key=lambda one: (one.amount_received or 0, one.created, one.id)).id
    return ""


def dashboard(reach: Reach, place: str, id_: str) -> str:
    """The page of the Dashboard: of the mode, and of the account where that is known."""
    account = reach.settings.stripe.account if reach.settings.stripe else ""
    parts = [account] if account else []
    if reach.livemode is False:
        parts.append("test")
    return "https://dashboard.stripe.com/" + "/".join([*parts, place, id_])
