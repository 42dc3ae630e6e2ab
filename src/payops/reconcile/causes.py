"""The likely cause of a discrepancy, in words: from the events, the event log and the two rows.

`likely` is said where something was seen that points there; where nothing was looked at, the cause
says what usually leads to it, as such. A cause is never a reason to change anything: the fixes
are, and they rest on the rows alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from payops.domain.discrepancy import MatchClass
from payops.domain.money import ZERO_DECIMAL
from payops.domain.secret import excerpt
from payops.domain.text import shortened
from payops.reconcile.totals import Row

_PAID = frozenset({"succeeded", "refunded", "partially_refunded", "disputed"})
_OPEN = frozenset({"pending", "processing", "requires_action"})


@dataclass(frozen=True)
class Clue:
    """What is known of the event that should have told the ledger.

    `event` is its id, `type` its type. `undelivered`: an endpoint has not had it. `logged` is what
    the event log says: `absent`, `waiting` (arrived, not handled), `failed`, `handled`; empty when
    there is no log or nobody looked. `error` is the log's own word.
    """

    event: str
    type: str
    undelivered: bool = False
    logged: str = ""
    error: str = ""


def likely_cause(row: Row, clue: Clue | None) -> str:
    """One sentence; empty when nothing sensible can be said."""
    match_class = MatchClass(row["class"])
    told = _told(clue)
    match match_class:
        case MatchClass.STATUS_MISMATCH:
            return _of_status(row, told)
        case MatchClass.REFUND_MISSING if row["stripe_status"] and not _promised(row):
            return told or "usually a refund made in the Dashboard whose event is not handled"
        case MatchClass.REFUND_MISSING:
            if row.get("failed_refunds"):
                return "likely: the refund failed at Stripe after it was recorded"
            return "usually recorded before Stripe was asked, or by hand"
        case MatchClass.REFUND_PARTIAL_MISMATCH:
            return told or "usually a second refund, or a partial one that is recorded as whole"
        case MatchClass.DISPUTE_UNRECORDED:
            return told or "usually charge.dispute.created is not handled"
        case MatchClass.MISSING_IN_LEDGER:
            if row["meta_local"]:
                return (
                    f"likely a rollback: the PaymentIntent names row {row['meta_local']}, "
                    "which is not there"
                )
            return "its metadata names no row: made by hand, or by another system on this account"
        case MatchClass.MISSING_IN_STRIPE:
            return _of_reference(row)
        case MatchClass.LIVEMODE_OR_ACCOUNT_MISMATCH:
            return "likely a test key in production, or a live key elsewhere"
        case MatchClass.NO_REFERENCE:
            if row["word"] in _PAID:
                return "likely marked as paid by hand, or the reference was lost with a crash"
            return "likely a crash, or Stripe out of reach, before the PaymentIntent was stored"
        case MatchClass.DUPLICATE_IN_LEDGER:
            return f"written twice; the first is {row['first_key']}" if row.get("first_key") else ""
        case MatchClass.DUPLICATE_CHARGE:
            return (
                f"likely paid twice by a double click or a retry with a new idempotency key: "
                f"{row['earlier']} was first"
                if row["same_amount"]
                else f"{row['earlier']} was charged for the same order, another amount: "
                "perhaps a deposit and a balance"
            )
        case MatchClass.AMOUNT_MISMATCH:
            return _of_amount(row)
        case MatchClass.PARTIAL_CAPTURE:
            return "captured in part; the ledger has what was authorised"
        case MatchClass.UNEXPECTED_STATUS:
            word = row["local_status"] if row["word"] is None else row["stripe_status"]
            return f"the mapping does not know {shortened(repr(word), 60)}"
        case MatchClass.CURRENCY_MISMATCH:
            return f"Stripe took {row['stripe_currency']}, the row says {row['ledger_currency']}"
        case MatchClass.FEE_MISMATCH:
            return "the fee was recorded before Stripe knew it, or by another rate"
    return ""


def _told(clue: Clue | None) -> str:
    """What the event says of how the ledger missed it."""
    if clue is None:
        return ""
    event = f"{clue.event} ({clue.type})"
    if clue.logged == "failed":
        error = f": {excerpt(clue.error, 80)}" if clue.error else ""
        return f"likely the handler: {event} arrived and failed{error}"
    if clue.logged == "waiting":
        return f"likely a worker crash: {event} arrived and was never handled to the end"
    if clue.undelivered:
        return f"likely a lost webhook: Stripe could not deliver {event}"
    if clue.logged == "absent":
        return f"likely a lost webhook: {event} is not in the event log"
    if clue.logged == "handled":
        return f"{event} was handled: likely rolled back, or changed by hand afterwards"
    return ""


def _of_status(row: Row, told: str) -> str:
    word, state = row["word"], row.get("true_state")
    if row["book"] == "refunds":
        return told or "the refund's state changed at Stripe, and nobody wrote it down"
    if word in _OPEN:
        return told or "usually a lost webhook or a worker that crashed"
    if word in {"failed", "canceled"} and state in {"paid", "part_refunded"}:
        return told or "usually a later attempt on the same PaymentIntent, or a time-out in between"
    if word in _PAID and state not in {"paid", "part_refunded", "refunded"}:
        return told or "likely marked as paid before Stripe said so, or by hand"
    return told


def _of_reference(row: Row) -> str:
    reference = row.get("processor_ref") or row.get("charge_ref") or row.get("session_ref") or ""
    if "mock" in reference or "fake" in reference:
        return f"{shortened(reference, 40)} is made up: nothing was ever charged by it"
    if reference.startswith(("pi_", "ch_", "py_", "cs_", "re_")):
        return "likely of another account or mode, or typed in by hand"
    return f"{shortened(repr(reference), 40)} is no id of Stripe's"


def _of_amount(row: Row) -> str:
    took, minor = row["took"], row["minor"]
    if minor is None:
        return f"the ledger's amount, {shortened(repr(row['stored_text']), 40)}, is no whole amount"
    if row["stripe_currency"] in ZERO_DECIMAL and took == minor * 100:
        return f"sent times 100, though {row['stripe_currency'].upper()} has no minor unit"
    if took == minor - 1:
        return "likely cents cut by floating point"
    if took * 100 == minor or took == minor * 100:
        return "likely major and minor units mixed up"
    return "the row or the basket changed after the PaymentIntent was made"


def _promised(row: Row) -> bool:
    """The ledger believes in more refunds than there are."""
    return row["book"] == "payments" and row["word"] in {"refunded", "partially_refunded"}
