"""What reconciliation can find: every row of either side ends in exactly one class."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money
from payops.domain.status import Status


class MatchClass(Enum):
    """Where a row of Stripe's or of the ledger ends up. The value is the word in JSON."""

    MATCHED = "matched"
    IN_FLIGHT = "in_flight"  # younger than the grace time, or still moving: counted, no exception
    MISSING_IN_LEDGER = "missing_in_ledger"  # charged, not recorded
    MISSING_IN_STRIPE = "missing_in_stripe"
    NO_REFERENCE = "no_reference"  # a local row that names nothing at Stripe
    STATUS_MISMATCH = "status_mismatch"
    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    FEE_MISMATCH = "fee_mismatch"
    REFUND_MISSING = "refund_missing"
    REFUND_PARTIAL_MISMATCH = "refund_partial_mismatch"
    DISPUTE_UNRECORDED = "dispute_unrecorded"
    PARTIAL_CAPTURE = "partial_capture"
    DUPLICATE_IN_LEDGER = "duplicate_in_ledger"  # two rows, one intent
    DUPLICATE_CHARGE = "duplicate_charge"  # one order, two succeeded intents
    LIVEMODE_OR_ACCOUNT_MISMATCH = "livemode_or_account_mismatch"
    UNEXPECTED_STATUS = "unexpected_status"  # a value that the mapping does not know
    NOT_CHARGED = "not_charged"  # at Stripe, took no money, and rightly has no local row


# Counted in the totals, and nothing that anybody has to act on.
HARMLESS = frozenset({MatchClass.MATCHED, MatchClass.IN_FLIGHT, MatchClass.NOT_CHARGED})


@dataclass(frozen=True)
class Discrepancy:
    """One thing on which the two sides disagree.

    `ledger` is the configured name. `local_id` and `stripe_id` are empty where that side has
    nothing. `local_status` is the table's own word, `stripe_status` Stripe's. `money` is what is
    at risk (the difference, for amounts; the whole amount otherwise), None when unknown. `age_s`
    counts from the older side's creation. `matched_by` says how the two were found to belong
    together (`processor_ref`, `charge`, `session`, `metadata`, `idempotency_key`), empty when not.
    `cause` is the likely one, in words, from the evidence; `quirk` names a known peculiarity of
    the system (preset) that explains it. `candidates` are ids that might belong, as a suggestion.
    `detail` is evidence for a person; both sides' values are in it.
    """

    match_class: MatchClass
    ledger: str
    local_id: str
    stripe_id: str
    local_status: str
    stripe_status: str
    money: Money | None
    severity: Status
    created: datetime
    age_s: float
    matched_by: str = ""
    cause: str = ""
    quirk: str = ""
    order_id: str = ""
    candidates: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[Action, ...] = ()
