"""What a pair of states means: the ledger's word beside Stripe's state, who is harmed, how badly.

Stripe's state is its status and what became of the money:

    paid            the money was taken and is kept
    part_refunded   taken, and some of it given back
    refunded        taken, and all of it given back
    processing      on its way (bank debits take days)
    held            authorised, waiting to be captured (requires_capture)
    action          waits for the customer (requires_action: 3-D Secure)
    waiting         no attempt yet (requires_payment_method without one, requires_confirmation)
    declined        the last attempt failed (requires_payment_method after one)
    canceled        will never be paid

One row has one class. Where several would fit, this order decides; the others stay as evidence:

    1  livemode_or_account_mismatch   it is not even the same world
    2  duplicate_in_ledger            the second row of one intent (the first is judged as usual)
    3  unexpected_status              a word that nobody mapped: nothing else can be said of it
    4  in_flight                      younger than the grace time, whatever 6 to 14 would say
    5  duplicate_charge               the customer paid twice (holds for young ones too)
    6  status_mismatch, CRIT          one side says paid, the other not
    7  currency_mismatch
    8  dispute_unrecorded             before refunds: a dispute has a deadline and costs a fee
    9  refund_missing
   10  refund_partial_mismatch
   11  partial_capture                the ledger has what was authorised, Stripe took less
   12  amount_mismatch
   13  status_mismatch, WARN          nobody's money, but one side is wrong
   14  fee_mismatch
   15  matched, in_flight, not_charged

Rows that stand alone: an intent that took money is missing_in_ledger; one that is processing is
in_flight; one that took none is not_charged. A row of the ledger with a reference that Stripe does
not know is missing_in_stripe. Without any reference it is no_reference (runbook 002 calls that a
sign of trouble: it is CRIT when the row says paid, WARN when it is open; a failed or canceled row
without one never reached Stripe and is not_charged).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payops.domain.discrepancy import MatchClass
from payops.domain.status import Status

STATES = (
    "paid",
    "part_refunded",
    "refunded",
    "processing",
    "held",
    "action",
    "waiting",
    "declined",
    "canceled",
)


@dataclass(frozen=True)
class Verdict:
    """What a pair means.

    `risk` is what is at stake: `net` (taken at Stripe and not given back), `booked` (what the
    ledger believes to have), `refunded` (given back), `held` (authorised), `none`. `why` says who
    is harmed.
    """

    match_class: MatchClass
    severity: Status
    risk: str
    why: str


_AGREE = Verdict(MatchClass.MATCHED, Status.OK, "none", "both sides say the same")
_MOVING = Verdict(MatchClass.IN_FLIGHT, Status.OK, "none", "neither side has said how it ends")


def _status(severity: Status, risk: str, why: str) -> Verdict:
    return Verdict(MatchClass.STATUS_MISMATCH, severity, risk, why)


_CHARGED = "the customer was charged, and the order is not known to be paid"
_CHARGED_FAILED = "the customer was charged, and was told that the payment failed"
_STALE = "nothing was taken; the row still waits"
_BELIEVED = "the ledger believes in money that was never taken"
_NOT_YET = "the ledger counts money that is not there yet and may never be"
_GIVEN_BACK = "all of it was given back; the row does not say so"

_OPEN = {
    "paid": _status(Status.CRIT, "net", _CHARGED),
    "part_refunded": _status(Status.CRIT, "net", _CHARGED),
    "refunded": _status(Status.WARN, "none", _GIVEN_BACK),
    "processing": _MOVING,
    "held": _MOVING,
    "action": _status(Status.WARN, "none", "the customer has to act, and the row does not say so"),
    "waiting": _MOVING,
    "declined": _status(Status.WARN, "none", _STALE),
    "canceled": _status(Status.WARN, "none", _STALE),
}
_DEAD = {
    "paid": _status(Status.CRIT, "net", _CHARGED_FAILED),
    "part_refunded": _status(Status.CRIT, "net", _CHARGED_FAILED),
    "processing": _status(Status.WARN, "held", "it may still succeed, and nobody would know"),
    "held": _status(Status.WARN, "held", "the customer's money is blocked for nothing"),
    "action": _AGREE,
    "waiting": _AGREE,
    "declined": _AGREE,
    "canceled": _AGREE,
}
_UNPAID = {
    "processing": _status(Status.WARN, "booked", _NOT_YET),
    "held": _status(Status.WARN, "booked", _NOT_YET),
    "action": _status(Status.CRIT, "booked", _BELIEVED),
    "waiting": _status(Status.CRIT, "booked", _BELIEVED),
    "declined": _status(Status.CRIT, "booked", _BELIEVED),
    "canceled": _status(Status.CRIT, "booked", _BELIEVED),
}
_REFUND_UNRECORDED = Verdict(
    MatchClass.REFUND_MISSING, Status.WARN, "refunded", "money was given back, and is still booked"
)
_REFUND_PROMISED = Verdict(
    MatchClass.REFUND_MISSING, Status.CRIT, "net", "the customer was told of money that never left"
)
_NEVER_TAKEN = _status(Status.WARN, "none", "there was nothing to give back")

PAIRS: dict[str, dict[str, Verdict]] = {
    "pending": _OPEN,
    "processing": _OPEN,
    "requires_action": {**_OPEN, "action": _MOVING},
    "succeeded": {
        **_UNPAID,
        "paid": _AGREE,
        "part_refunded": _REFUND_UNRECORDED,
        "refunded": _REFUND_UNRECORDED,
    },
    "failed": {**_DEAD, "refunded": _status(Status.WARN, "none", _GIVEN_BACK)},
    # Canceling an order that was paid gives the money back: both sides are right.
    "canceled": {**_DEAD, "refunded": _AGREE},
    "refunded": {
        "paid": _REFUND_PROMISED,
        "part_refunded": Verdict(
            MatchClass.REFUND_PARTIAL_MISMATCH,
            Status.CRIT,
            "net",
            "the customer was told of more than was given back",
        ),
        "refunded": _AGREE,
        "processing": _status(Status.WARN, "held", "it may still succeed after the refund"),
        "held": _status(Status.WARN, "held", "the customer's money is blocked for nothing"),
        "action": _NEVER_TAKEN,
        "waiting": _NEVER_TAKEN,
        "declined": _NEVER_TAKEN,
        "canceled": _NEVER_TAKEN,
    },
    "partially_refunded": {
        **_UNPAID,
        "paid": _REFUND_PROMISED,
        "part_refunded": _AGREE,
        "refunded": Verdict(
            MatchClass.REFUND_PARTIAL_MISMATCH,
            Status.WARN,
            "refunded",
            "more was given back than the row says",
        ),
    },
    # With a dispute at Stripe the pair agrees; without one:
    "disputed": {
        **_UNPAID,
        "paid": _status(Status.WARN, "none", "the row speaks of a dispute that Stripe has not"),
        "part_refunded": _status(Status.WARN, "none", "it was refunded, not disputed"),
        "refunded": _status(Status.WARN, "none", "it was refunded, not disputed"),
    },
}


def verdicts() -> Iterator[tuple[str, str, str, str, str]]:
    """The table's rows for SQL: word, state, class, severity, risk."""
    for word, states in PAIRS.items():
        for state in STATES:
            found = states[state]
            yield word, state, found.match_class.value, found.severity.value, found.risk


def verdict(word: str, state: str) -> Verdict:
    """What the ledger's `word` beside Stripe's `state` means. KeyError for an unknown one."""
    return PAIRS[word][state]
