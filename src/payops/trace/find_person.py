"""The newest payments of a customer, or of an e-mail address."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from payops.errors import SourceError
from payops.sources.stripe_payment import (
    CustomerObject,
    Intent,
    path_of,
)
from payops.trace.found import (
    RECENT,
    Found,
    intent_of,
    no_such,
    subject_of_row,
)
from payops.trace.gather import Subject
from payops.trace.gather_ledger import ledgers
from payops.trace.gather_stripe import Page, in_other_mode
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.lookup import NamedRow


def find_customer(reach: Reach, id_: str, notes: tuple[str, ...]) -> Found:
    """The newest payments of a customer, of Stripe's list and of the ledger's."""
    is_ = f"{id_}, a customer"
    subjects: dict[str, Subject] = {}
    page = None
    try:
        page = reach.stripe(
            "the customer's payments",
            "/v1/payment_intents",
            Page[Intent],
            customer=id_,
            limit=RECENT,
        )
        if page is not None and not page.data:
            reach.stripe("the customer", path_of("customers", id_), CustomerObject)
    except SourceError as error:
        if not _rows_of(reach, "customer_id", id_):
            return Found(
                is_, answer=no_such(reach, "customer", id_, in_other_mode(error)), unknown=True
            )
    for intent in page.data if page is not None else ():
        subjects[intent.id] = Subject(intent.id)
    for row in _rows_of(reach, "customer_id", id_):
        key = intent_of((row,)) or f"{row.name} {row.key}"
        subjects.setdefault(key, subject_of_row(reach, (row,)))
    chosen = tuple(subjects.values())[:RECENT]
    if not chosen:
        return Found(is_, answer=f"the customer {id_} has no payments", notes=notes)
    note = f"the {len(chosen)} newest payments of the customer"
    return Found(is_, chosen, notes=(*notes, note))


def find_email(reach: Reach, address: str) -> Found:
    is_ = "an e-mail address"
    rows = _rows_of(reach, "customer_email", address)
    if rows:
        subjects = tuple(subject_of_row(reach, (row,)) for row in rows)
        note = f"the {len(subjects)} newest payments with this address in the ledger"
        return Found(is_, subjects, notes=(note,))
    mapped = any(one.columns.customer_email for one in ledgers(reach).values())
    page = reach.stripe(
        "the customer", "/v1/customers", Page[CustomerObject], email=address, limit=3
    )
    for customer in page.data if page is not None else ():
        found = find_customer(reach, customer.id, ("found by Stripe's customer with this address",))
        if found.subjects:
            return found
    where = "in the ledger, nor " if mapped else ""
    missing = "" if mapped else " (no ledger maps customer_email)"
    return Found(
        is_,
        answer=f"no payment with this address {where}at Stripe, which compares the case too"
        + missing,
        unknown=True,
    )


def _rows_of(reach: Reach, word: str, value: str) -> tuple[LedgerRow, ...]:
    """The newest rows whose column `word` holds this value."""
    found: list[LedgerRow] = []
    for name, ledger in ledgers(reach).items():
        if not getattr(ledger.columns, word):
            continue
        rows = reach.ask(
            "postgres", f"the ledger {name}", partial(_newest, reach, ledger, word, value)
        )
        found += [LedgerRow(name, ledger, row) for row in rows or ()]
    found.sort(key=lambda one: (-(one.row.created_us or 0), one.name, one.key))
    return tuple(found[:RECENT])


def _newest(reach: Reach, ledger: Ledger, word: str, value: str) -> list[NamedRow]:
    from payops.sources.ledger_near import rows_newest

    return rows_newest(reach.sources.postgres, ledger, word, value, RECENT)
