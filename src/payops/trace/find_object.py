"""The payment that an object of Stripe's belongs to."""

from __future__ import annotations

from payops.domain.evidence import Action
from payops.domain.money import Money
from payops.errors import SourceError
from payops.sources.stripe_payment import (
    BalanceLine,
    ChargeObject,
    DisputeObject,
    PayoutObject,
    RefundObject,
    SessionObject,
    StoryEvent,
    id_of,
    path_of,
)
from payops.trace.found import (
    Candidate,
    Found,
    intent_of,
    no_such,
    rows_naming,
)
from payops.trace.gather import Subject
from payops.trace.gather_stripe import Page, in_other_mode
from payops.trace.ids import Kind
from payops.trace.reach import Reach
from payops.trace.story import moment

_NOUNS = {
    Kind.INTENT: "PaymentIntent",
    Kind.CHARGE: "charge",
    Kind.SESSION: "Checkout Session",
    Kind.EVENT: "event",
    Kind.REFUND: "refund",
    Kind.DISPUTE: "dispute",
    Kind.TRANSACTION: "balance transaction",
    Kind.PAYOUT: "payout",
    Kind.CUSTOMER: "customer",
}
_MOST_CANDIDATES = 20


def find_object(reach: Reach, kind: Kind, id_: str, notes: tuple[str, ...]) -> Found:
    noun = _NOUNS[kind]
    is_ = f"{id_}, a {noun}" if noun[0] not in "aeiou" else f"{id_}, an {noun}"
    try:
        subject, more = _subject(reach, kind, id_)
    except SourceError as error:
        return _absent(reach, kind, id_, is_, error, notes)
    except _NoPaymentError as error:
        return Found(is_, answer=str(error), notes=notes, unknown=True)
    except _SeveralError as error:
        return error.found
    if subject is not None:
        return Found(is_, (subject,), notes=(*notes, *more))
    if kind is not Kind.INTENT:
        # Stripe does not say what it belongs to: our own tables may.
        rows = rows_naming(reach, kind, id_)
        if rows:
            return Found(is_, (Subject(intent_of(rows), rows=rows),), notes=notes)
    return Found(
        is_,
        answer=f"what {id_} belongs to could not be told: "
        + ("; ".join(f"{one.source}: {one.why}" for one in reach.unseen) or "nothing names it"),
        unknown=True,
        notes=notes,
    )


def _subject(reach: Reach, kind: Kind, id_: str) -> tuple[Subject | None, tuple[str, ...]]:
    """The payment that an object of Stripe's belongs to. Raises SourceError NOT_FOUND."""
    if kind is Kind.INTENT:
        return Subject(id_), ()
    if kind is Kind.CHARGE:
        charge = reach.stripe(
            "the charge", path_of("charges", id_), ChargeObject, expand=["balance_transaction"]
        )
        if charge is None:
            return None, ()
        intent = id_of(charge.payment_intent)
        return (Subject(intent) if intent else Subject(charge=charge)), ()
    if kind is Kind.SESSION:
        session = reach.stripe(
            "the Checkout Session", path_of("checkout/sessions", id_), SessionObject
        )
        if session is None:
            return None, ()
        return Subject(id_of(session.payment_intent), session=session), ()
    if kind is Kind.EVENT:
        return _of_event(reach, id_)
    if kind is Kind.REFUND:
        refund = reach.stripe("the refund", path_of("refunds", id_), RefundObject)
        return _of_parts(reach, refund)
    if kind is Kind.DISPUTE:
        dispute = reach.stripe("the dispute", path_of("disputes", id_), DisputeObject)
        return _of_parts(reach, dispute)
    if kind is Kind.TRANSACTION:
        line = reach.stripe(
            "the balance transaction", path_of("balance_transactions", id_), BalanceLine
        )
        if line is None:
            return None, ()
        return _of_source(reach, line)
    return _of_payout(reach, id_)


def _of_parts(
    reach: Reach, part: RefundObject | DisputeObject | None
) -> tuple[Subject | None, tuple[str, ...]]:
    if part is None:
        return None, ()
    if id_of(part.payment_intent):
        return Subject(id_of(part.payment_intent)), ()
    if id_of(part.charge):
        return _subject(reach, Kind.CHARGE, id_of(part.charge))
    return None, ()


def _of_source(reach: Reach, line: BalanceLine) -> tuple[Subject | None, tuple[str, ...]]:
    source = id_of(line.source)
    kinds = {"ch": Kind.CHARGE, "py": Kind.CHARGE, "re": Kind.REFUND, "pyr": Kind.REFUND}
    kinds |= {"dp": Kind.DISPUTE, "du": Kind.DISPUTE, "po": Kind.PAYOUT}
    kind = kinds.get(source.partition("_")[0])
    if kind is None:
        raise _NoPaymentError(
            f"{line.id} is a balance transaction of type {line.type or 'unknown'}"
            + (f" made of {source}" if source else "")
            + ": no payment of a customer's"
        )
    subject, notes = _subject(reach, kind, source)
    return subject, (*notes, f"{line.id} is the balance transaction of {source}")


def _of_event(reach: Reach, id_: str) -> tuple[Subject | None, tuple[str, ...]]:
    event = reach.stripe("the event", path_of("events", id_), StoryEvent)
    if event is None:
        return None, ()
    note = f"{id_} is {event.type}"
    if event.payment_intent:
        return Subject(event.payment_intent, event=event), (note,)
    if event.charge:
        subject, notes = _subject(reach, Kind.CHARGE, event.charge)
        return subject, (note, *notes)
    prefix = event.about.partition("_")[0]
    if prefix == "cs":
        subject, notes = _subject(reach, Kind.SESSION, event.about)
        return subject, (note, *notes)
    if prefix == "po":
        return _of_payout(reach, event.about)
    raise _NoPaymentError(f"{note}, about {event.about or 'nothing with an id'}: no payment")


def _of_payout(reach: Reach, id_: str) -> tuple[Subject | None, tuple[str, ...]]:
    payout = reach.stripe("the payout", path_of("payouts", id_), PayoutObject)
    if payout is None:
        return None, ()
    page = reach.stripe(
        "its lines",
        "/v1/balance_transactions",
        Page[BalanceLine],
        payout=id_,
        limit=_MOST_CANDIDATES,
    )
    lines = [line for line in page.data if line.type != "payout"] if page else []
    more = " at least" if page is not None and page.has_more else ""
    raise _SeveralError(
        Found(
            f"{id_}, a payout",
            answer=f"{id_} pays out {Money(payout.currency, payout.amount)} of {len(lines)}"
            f"{more} lines, arrives {moment(payout.arrival_date):%Y-%m-%d}, {payout.status}: "
            "name the payment",
            candidates=tuple(
                Candidate(
                    id_of(line.source) or line.id,
                    line.type,
                    moment(line.created),
                    Money(line.currency, line.amount),
                    line.status,
                )
                for line in lines
            ),
            actions=(
                Action("compare the payout with its lines", "payops reconcile payouts --since 30d"),
            ),
        )
    )


class _NoPaymentError(Exception):
    """What was asked for belongs to no payment; the text says what it is."""


class _SeveralError(Exception):
    """It belongs to several."""

    def __init__(self, found: Found) -> None:
        super().__init__(found.answer)
        self.found = found


def _absent(
    reach: Reach, kind: Kind, id_: str, is_: str, error: SourceError, notes: tuple[str, ...]
) -> Found:
    """Stripe has no such object: of the other mode, of another account, or there is none."""
    rows = rows_naming(reach, kind, id_)
    other_mode = in_other_mode(error)
    if rows:
        return Found(is_, (Subject(rows=rows, absent=id_, other_mode=other_mode),), notes=notes)
    if kind is Kind.EVENT:
        return Found(
            is_,
            answer=f"Stripe has no event {id_}: it keeps them for 30 days"
            + ("" if not other_mode else ", and has it for keys of the other mode"),
            unknown=True,
            notes=notes,
            actions=(Action("trace its payment: the event log's row of it may name one"),),
        )
    return Found(
        is_, answer=no_such(reach, _NOUNS[kind], id_, other_mode), unknown=True, notes=notes
    )
