"""What is wrong between Stripe and the ledgers, by the classes and the order of a reconciliation.

Pure. One payment is judged as `reconcile` judges a million (`domain.pairs` is the table that both
have); here every finding keeps the moment at which the two sides began to disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from payops.domain.discrepancy import MatchClass
from payops.domain.money import Money
from payops.domain.pairs import verdict
from payops.domain.payment import OPEN, PAID, PaymentStatus
from payops.domain.status import Status
from payops.sources.stripe_payment import BalanceLine, Intent, RefundObject
from payops.trace.story import LedgerRow, Story, moment

_PAID_WORDS = frozenset(word.value for word in PAID)
_REFUNDABLE = frozenset({"succeeded", "refunded", "partially_refunded"})
_NO_MONEY = ("warning", "won", "prevented")
_DONE_REFUND = ("failed", "canceled")
# Of two that begin in one second the one that the order of `domain.pairs` puts first.
_ORDER = {each: number for number, each in enumerate(MatchClass)}


@dataclass(frozen=True)
class Finding:
    """One disagreement. `about` tells which events should have told: `paid`, `declined`,
    `canceled`, `processing`, `action`, `refund`, `dispute`, empty for none. `facts` are what the
    likely cause is said from, in the names of the match."""

    at: datetime
    match_class: MatchClass
    severity: Status
    sentence: str
    about: str = ""
    money: Money | None = None
    refund: str = ""
    row: LedgerRow | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def findings(story: Story) -> list[Finding]:
    """All of them, the earliest first; those that may still be on their way are left out."""
    found = [*_payment(story), *_refunds(story)]
    late = story.now - story.event_within
    found = [one for one in found if one.at <= late]
    return sorted(found, key=lambda one: (one.at, _ORDER[one.match_class], one.sentence))


def true_state(story: Story) -> str | None:
    """Stripe's state in the words of `domain.pairs`; None for a status that is not known."""
    intent = story.intent
    if intent is None:
        return _session_state(story)
    took, given = story.taken, story.given
    if took > 0:
        return "refunded" if given >= took else "part_refunded" if given > 0 else "paid"
    states = {
        "succeeded": "paid",
        "processing": "processing",
        "requires_capture": "held",
        "requires_action": "action",
        "requires_confirmation": "waiting",
        "canceled": "canceled",
    }
    if intent.status == "requires_payment_method":
        charge = story.charge
        failed = charge is not None and charge.status == "failed"
        return "declined" if failed or intent.last_payment_error is not None else "waiting"
    return states.get(intent.status)


def _session_state(story: Story) -> str | None:
    if not story.sessions:
        return None
    session = story.sessions[-1]
    if session.status in ("open", "expired"):
        return "waiting" if session.status == "open" else "canceled"
    return "processing" if session.payment_status == "unpaid" else "paid"


def became(story: Story, state: str | None) -> datetime:
    """When Stripe's state arose, as far as its objects tell."""
    intent, charge = story.intent, story.charge
    if intent is None:
        return moment(story.sessions[-1].created) if story.sessions else story.now
    if state == "canceled" and intent.canceled_at:
        return moment(intent.canceled_at)
    if state in ("refunded", "part_refunded") and story.refunds:
        live = [one for one in story.refunds if one.status not in _DONE_REFUND]
        if live:
            return moment(live[-1].created)
    if charge is not None and state in ("paid", "declined", "held", "refunded", "part_refunded"):
        return moment(charge.created)
    told = [event for event in story.events if event.about == intent.id]
    return moment(told[-1].created) if told else moment(intent.created)


# ── the payment ──────────────────────────────────────────────────────────────────────────────────


def _payment(story: Story) -> Iterator[Finding]:
    intent, row = story.intent, story.row
    wrong_mode = (
        intent is not None
        and None not in (intent.livemode, story.livemode)
        and intent.livemode != story.livemode
    )
    if wrong_mode or (story.other_mode and row is not None):
        yield _other_world(story)
        return
    if intent is None and not story.sessions:
        if row is not None:
            yield from _row_alone(story, row)
        return
    yield from _second_charge(story)
    if row is None:
        yield from _intent_alone(story)
        return
    yield from _duplicates(story, row)
    state = true_state(story)
    if row.word is None or state is None:
        yield _unknown_word(story, row, state)
        return
    yield from _pair(story, row, state)
    if intent is not None:
        yield from _money(story, row, intent)
        yield from _dispute(story, row)


def _other_world(story: Story) -> Finding:
    row, intent = story.row, story.intent
    at = moment(intent.created) if intent else (row.created if row else None) or story.now
    id_ = intent.id if intent else story.absent
    ours = {True: "live", False: "test", None: "another"}[story.livemode]
    theirs = {"live": "test", "test": "live"}.get(ours, "the other")
    return Finding(
        at,
        MatchClass.LIVEMODE_OR_ACCOUNT_MISMATCH,
        Status.CRIT,
        f"{id_} is of {theirs} mode, and the key is a {ours} key",
        row=row,
        money=row.money if row else None,
        facts={"class": "livemode_or_account_mismatch"},
    )


def _row_alone(story: Story, row: LedgerRow) -> Iterator[Finding]:
    """The ledger has a row, and Stripe has nothing for it, as far as it was asked."""
    word, at = row.word, row.completed or row.created or story.now
    facts = {
        "class": "",
        "word": word.value if word else None,
        "processor_ref": row.row.processor_ref,
        "charge_ref": row.row.charge_ref,
        "session_ref": row.row.session_ref,
        "local_status": row.row.status,
        "stripe_status": None,
    }
    if word is None:
        yield _unknown_word(story, row, None)
        return
    if row.references:
        if not story.stripe_seen or not story.absent:
            return
        severity = Status.CRIT if word in PAID else Status.WARN
        yield Finding(
            row.created or at,
            MatchClass.MISSING_IN_STRIPE,
            severity,
            f"row {row.key} of {row.name} ({row.row.status}) names {story.absent}, "
            "which Stripe does not have",
            row=row,
            money=row.money if word in PAID else None,
            facts=facts | {"class": "missing_in_stripe"},
        )
        return
    young = row.created is not None and story.now - row.created <= story.grace
    if word in (PaymentStatus.FAILED, PaymentStatus.CANCELED) or (young and word in OPEN):
        return
    yield Finding(
        at,
        MatchClass.NO_REFERENCE,
        Status.CRIT if word in PAID else Status.WARN,
        f"row {row.key} of {row.name} is {row.row.status} and names nothing at Stripe",
        row=row,
        money=row.money if word in PAID else None,
        facts=facts | {"class": "no_reference"},
    )


def _intent_alone(story: Story) -> Iterator[Finding]:
    """Stripe took money, and no ledger has a row for it."""
    intent = story.intent
    if intent is None or not story.ledger_seen or story.taken <= 0:
        return
    kept = story.taken - story.given
    metadata = {str(k): v for k, v in (intent.metadata or {}).items()}
    yield Finding(
        became(story, "paid"),
        MatchClass.MISSING_IN_LEDGER,
        Status.CRIT if kept > 0 else Status.WARN,
        f"Stripe took {Money(intent.currency, story.taken)} by {intent.id}, and no ledger has a "
        "row for it",
        about="paid",
        money=Money(intent.currency, kept),
        facts={
            "class": "missing_in_ledger",
            "meta_local": next((str(v) for v in metadata.values() if v), None),
        },
    )


def _second_charge(story: Story) -> Iterator[Finding]:
    """Another intent kept money for the same order or row."""
    intent = story.intent
    if intent is None or story.taken <= story.given:
        return
    orders = {one.row.order_id for one in story.rows if one.row.order_id} | _named(story, intent)
    mine = moment(story.charge.created) if story.charge else moment(intent.created)
    for other in story.siblings:
        row = next((one for one in story.sibling_rows if other.id in one.references), None)
        theirs = _named(story, other) | ({row.row.order_id} if row and row.row.order_id else set())
        if not orders & theirs or (other.amount_received or 0) <= 0:
            continue
        own = story.row
        customers = {one.row.customer_id for one in (row, own) if one and one.row.customer_id}
        if len(customers) > 1:
            continue  # one order of two customers is two orders
        first, second = sorted(((mine, intent.id), (moment(other.created), other.id)))
        same = (other.amount, other.currency) == (intent.amount, intent.currency)
        yield Finding(
            second[0],
            MatchClass.DUPLICATE_CHARGE,
            Status.CRIT if same else Status.WARN,
            f"{second[1]} took money for what {first[1]} had paid already",
            about="",
            row=own,
            money=Money(intent.currency, story.taken - story.given),
            facts={"class": "duplicate_charge", "earlier": first[1], "same_amount": same},
        )


def _named(story: Story, intent: Intent) -> set[str]:
    """Orders and rows of ours that an intent's metadata names."""
    ledgers = [one.ledger for one in (*story.rows, *story.sibling_rows)]
    keys = {
        (word, key)
        for ledger in ledgers
        for word in ("order_id", "local_id")
        if (key := getattr(ledger.references, word))
    }
    metadata = intent.metadata or {}
    return {str(metadata[key]) for _, key in keys if metadata.get(key) not in (None, "")}


def _duplicates(story: Story, row: LedgerRow) -> Iterator[Finding]:
    for other in story.rows:
        if other is row:
            continue
        yield Finding(
            max(other.created or story.now, row.created or story.now),
            MatchClass.DUPLICATE_IN_LEDGER,
            Status.CRIT if other.word in PAID else Status.WARN,
            f"row {other.key} of {other.name} names the same payment as row {row.key}",
            row=other,
            money=other.money if other.word in PAID else None,
            facts={"class": "duplicate_in_ledger", "first_key": row.key},
        )


def _unknown_word(story: Story, row: LedgerRow, state: str | None) -> Finding:
    status = story.intent.status if story.intent else None
    word = row.row.status if row.word is None else status
    where = f"row {row.key} of {row.name}" if row.word is None else "Stripe"
    del state
    return Finding(
        row.updated or row.created or story.now,
        MatchClass.UNEXPECTED_STATUS,
        Status.WARN,
        f"{where} says {word!r}, which the mapping does not know",
        row=row,
        money=row.money,
        facts={
            "class": "unexpected_status",
            "word": row.word.value if row.word else None,
            "local_status": row.row.status,
            "stripe_status": status,
        },
    )


def _sayable(story: Story, row: LedgerRow, state: str) -> str:
    """How much of Stripe's state this ledger can say in its status at all."""
    words, word = row.ledger.statuses, row.word
    if state == "action" and not words.get("requires_action") and word in OPEN:
        return "waiting"
    records = story.keeps_refunds or row.row.refunded_amount is not None
    if word is PaymentStatus.SUCCEEDED and records:
        if state == "refunded" and not words.get("refunded"):
            return "paid"
        if state == "part_refunded" and not words.get("partially_refunded"):
            return "paid"
    return state


def _pair(story: Story, row: LedgerRow, true: str) -> Iterator[Finding]:
    word = row.word
    assert word is not None  # noqa: S101  asked before
    if word is PaymentStatus.DISPUTED and story.taken > 0 and _ever_disputed(story):
        return
    state = _sayable(story, row, true)
    found = verdict(word.value, state)
    match_class, severity = found.match_class, found.severity
    if match_class in (MatchClass.MATCHED, MatchClass.IN_FLIGHT):
        return
    of_refunds = match_class in (MatchClass.REFUND_MISSING, MatchClass.REFUND_PARTIAL_MISMATCH)
    if of_refunds:
        if story.on_its_way or not story.refunds_seen:
            return
        cases = list(_refunds(story))
        if cases:
            return  # told there, with the refund's id
        if story.keeps_refunds and _settled(story) and state != "paid":
            match_class, severity = MatchClass.STATUS_MISMATCH, Status.WARN
    at = _parted(story, row, true, believed=word in PAID and true not in _TOOK)
    intent = story.intent
    status = intent.status if intent else (story.sessions[-1].status or "")
    yield Finding(
        at,
        match_class,
        severity,
        _said(story, row, true, found.why),
        about=_about(true, of_refunds=of_refunds),
        money=_at_risk(story, row, found.risk),
        row=row,
        facts={
            "class": match_class.value,
            "word": word.value,
            "true_state": true,
            "stripe_status": status,
            "book": "payments",
            "failed_refunds": sum(one.status in _DONE_REFUND for one in story.refunds),
        },
    )


_TOOK = frozenset({"paid", "part_refunded", "refunded"})
_SAID = {
    "paid": "took the money",
    "part_refunded": "took the money and gave some of it back",
    "refunded": "gave the money back",
    "processing": "is processing",
    "held": "holds the money, uncaptured",
    "action": "waits for the customer",
    "waiting": "has no attempt to pay",
    "declined": "was refused by the bank",
    "canceled": "is canceled",
}


def _said(story: Story, row: LedgerRow, state: str, why: str) -> str:
    id_ = story.intent.id if story.intent else story.sessions[-1].id
    at = f"{became(story, state):%H:%M:%S}"
    return (
        f"{id_} {_SAID[state]} at {at}, and row {row.key} of {row.name} says {row.row.status}: "
        f"{why}"
    )


def _parted(story: Story, row: LedgerRow, state: str, *, believed: bool) -> datetime:
    """When the sides parted: Stripe moved, or the row did though Stripe had not."""
    if believed:
        return row.completed or row.updated or row.created or story.now
    at = became(story, state)
    return max(at, row.created) if row.created is not None and row.created > at else at


def _about(state: str, *, of_refunds: bool) -> str:
    if of_refunds or state in ("refunded", "part_refunded"):
        return "refund" if of_refunds else "paid"
    return state if state in ("paid", "declined", "canceled", "processing", "action") else ""


def _at_risk(story: Story, row: LedgerRow, risk: str) -> Money | None:
    intent = story.intent
    if risk == "booked":
        return row.money
    if intent is None:
        return None
    minor = {
        "net": story.taken - story.given,
        "refunded": story.given,
        "held": intent.amount,
    }.get(risk)
    return None if minor is None else Money(intent.currency, minor)


# ── amounts, disputes, refunds ───────────────────────────────────────────────────────────────────


def _money(story: Story, row: LedgerRow, intent: Intent) -> Iterator[Finding]:
    word, took = row.word, story.taken
    assert word is not None  # noqa: S101  asked before
    paid = word.value in _PAID_WORDS
    met = max(row.created or moment(intent.created), moment(intent.created))
    facts: dict[str, Any] = {
        "took": took,
        "minor": row.charged,
        "stored_text": row.row.amount,
        "stripe_currency": intent.currency,
        "ledger_currency": row.currency,
    }
    if intent.currency != row.currency:
        if took > 0 or paid:
            yield Finding(
                met,
                MatchClass.CURRENCY_MISMATCH,
                Status.CRIT,
                f"{intent.id} is in {intent.currency}, row {row.key} of {row.name} in "
                f"{row.currency}",
                row=row,
                money=Money(intent.currency, took) if took else row.money,
                facts=facts | {"class": "currency_mismatch"},
            )
        return
    minor = row.charged
    if took > 0 and paid and not _same_amount(row, minor, took):
        partial = minor is not None and took < intent.amount and minor == intent.amount
        match_class = MatchClass.PARTIAL_CAPTURE if partial else MatchClass.AMOUNT_MISMATCH
        at = moment(story.charge.created) if partial and story.charge else met
        gap = intent.amount - took if partial else abs(took - (minor or 0))
        has = row.row.amount if minor is None else str(Money(row.currency, minor))
        yield Finding(
            at,
            match_class,
            Status.WARN if partial else Status.CRIT,
            f"Stripe took {Money(intent.currency, took)} by {intent.id}, row {row.key} of "
            f"{row.name} has {has}",
            row=row,
            money=Money(intent.currency, gap),
            facts=facts | {"class": match_class.value},
        )
    yield from _recorded(story, row, intent, facts)
    line = story.charge.balance_transaction if story.charge else None
    fee = row.minor(row.row.fee) if story.maps_fee else None
    if not isinstance(line, BalanceLine) or fee is None or took <= 0:
        return
    if line.currency == row.currency and line.fee != fee:
        yield Finding(
            moment(line.created),
            MatchClass.FEE_MISMATCH,
            Status.WARN,
            f"Stripe's fee is {Money(line.currency, line.fee)}, row {row.key} of {row.name} "
            f"has {Money(row.currency, fee)}",
            row=row,
            money=Money(line.currency, abs(line.fee - fee)),
            facts=facts | {"class": "fee_mismatch"},
        )


def _same_amount(row: LedgerRow, minor: int | None, took: int) -> bool:
    return minor is not None and (
        minor == took or (row.ledger.truncated_cents and took == minor - 1)
    )


def _recorded(
    story: Story, row: LedgerRow, intent: Intent, facts: dict[str, Any]
) -> Iterator[Finding]:
    """The row's own sum of refunds, beside Stripe's."""
    recorded = row.minor(row.row.refunded_amount)
    word = row.word
    if recorded is None or word is None or word.value not in _REFUNDABLE or not story.refunds_seen:
        return
    given = story.given
    if story.taken <= 0 or recorded == given or story.on_its_way:
        return
    match_class = MatchClass.REFUND_PARTIAL_MISMATCH if recorded else MatchClass.REFUND_MISSING
    last = story.refunds[-1].created if story.refunds else intent.created
    yield Finding(
        moment(last),
        match_class,
        Status.CRIT if recorded > given else Status.WARN,
        f"Stripe gave back {Money(intent.currency, given)} of {intent.id}, row {row.key} of "
        f"{row.name} has {Money(row.currency, recorded)}",
        about="refund",
        row=row,
        money=Money(intent.currency, abs(recorded - given)),
        facts=facts
        | {
            "class": match_class.value,
            "stripe_status": intent.status,
            "word": None,
            "book": "payments",
        },
    )


def _ever_disputed(story: Story) -> bool:
    return bool(story.disputes) or any(one.disputed for one in story.charges)


def _dispute(story: Story, row: LedgerRow) -> Iterator[Finding]:
    word = row.word
    if word is None or word.value not in _REFUNDABLE or story.taken <= 0:
        return
    live = [one for one in story.disputes if not one.status.startswith(_NO_MONEY)]
    disputed = bool(live) or (_ever_disputed(story) and not story.disputes)
    if not disputed:
        return
    first = live[0] if live else None
    charge = story.charge
    at = moment(first.created) if first else moment(charge.created) if charge else story.now
    id_ = first.id if first else f"the charge {charge.id if charge else ''}"
    money = Money(first.currency, first.amount) if first else None
    yield Finding(
        at,
        MatchClass.DISPUTE_UNRECORDED,
        Status.CRIT,
        f"{id_} is disputed since {at:%Y-%m-%d %H:%M:%S}, and row {row.key} of {row.name} says "
        f"{row.row.status}",
        about="dispute",
        row=row,
        money=money,
        facts={"class": "dispute_unrecorded"},
    )


def _settled(story: Story) -> bool:
    return bool(story.refunds) and not any(True for _ in _refunds(story))


def _refunds(story: Story) -> Iterator[Finding]:
    """Each refund of Stripe's beside the ledger's row of it."""
    if not story.keeps_refunds or not story.refunds_seen or not story.ledger_seen:
        return
    if story.row is None and not story.refund_rows:
        return  # the payment itself is what is missing
    left = list(story.refund_rows)
    for refund in story.refunds:
        named = [one for one in left if one.row.processor_ref == refund.id]
        if not named:
            alike = [
                one for one in left if not one.row.processor_ref and one.stored == refund.amount
            ]
            named = alike[:1] if len(alike) == 1 else []
        for one in named:
            left.remove(one)
        yield from _refund(story, refund, named)
    for one in left:
        yield from _refund_row_alone(story, one)


def _refund(story: Story, refund: RefundObject, rows: list[LedgerRow]) -> Iterator[Finding]:
    at, status = moment(refund.created), refund.status or ""
    money = Money(refund.currency, refund.amount)
    facts: dict[str, Any] = {"book": "refunds", "stripe_status": status, "word": None}
    if not rows:
        if status not in _DONE_REFUND:
            yield Finding(
                at,
                MatchClass.REFUND_MISSING,
                Status.WARN,
                f"{refund.id} gave back {money} at {at:%Y-%m-%d %H:%M:%S}, and no ledger has it",
                about="refund",
                money=money,
                refund=refund.id,
                row=story.row,
                facts=facts | {"class": "refund_missing"},
            )
        return
    row = rows[0]
    for again in rows[1:]:
        yield Finding(
            again.created or at,
            MatchClass.DUPLICATE_IN_LEDGER,
            Status.WARN,
            f"row {again.key} of {again.name} names the same refund as row {row.key}",
            money=again.money,
            refund=refund.id,
            row=again,
            facts=facts | {"class": "duplicate_in_ledger", "first_key": row.key},
        )
    match_class, severity = _refund_class(row, refund, status)
    if match_class is None:
        return
    yield Finding(
        max(at, row.created or at),
        match_class,
        severity,
        f"{refund.id} is {status} over {money}, row {row.key} of {row.name} is "
        f"{row.row.status} over {row.money or row.row.amount}",
        about="refund",
        money=money,
        refund=refund.id,
        row=row,
        facts=facts
        | {
            "class": match_class.value,
            "word": row.word.value if row.word else None,
            "local_status": row.row.status,
            "stripe_currency": refund.currency,
            "ledger_currency": row.currency,
        },
    )


def _refund_class(
    row: LedgerRow, refund: RefundObject, status: str
) -> tuple[MatchClass | None, Status]:
    word = row.word.value if row.word else None
    if word is None:
        return MatchClass.UNEXPECTED_STATUS, Status.WARN
    if row.currency != refund.currency:
        return MatchClass.CURRENCY_MISMATCH, Status.CRIT
    if word in _DONE_REFUND and status in _DONE_REFUND:
        return None, Status.OK
    stored = row.stored
    if stored is None or stored != refund.amount:
        more = (stored or 0) > refund.amount
        return MatchClass.REFUND_PARTIAL_MISMATCH, Status.CRIT if more else Status.WARN
    if status in ("pending", "requires_action") and word not in _DONE_REFUND:
        return None, Status.OK
    if status == "succeeded" and word in _REFUNDABLE:
        return None, Status.OK
    lost = status in _DONE_REFUND and word not in ("pending", "processing")
    return MatchClass.STATUS_MISMATCH, Status.CRIT if lost else Status.WARN


def _refund_row_alone(story: Story, row: LedgerRow) -> Iterator[Finding]:
    word = row.word
    at = row.created or story.now
    if word is None:
        match_class, severity = MatchClass.UNEXPECTED_STATUS, Status.WARN
    elif row.row.processor_ref:
        match_class = MatchClass.MISSING_IN_STRIPE
        severity = Status.WARN if word.value in _DONE_REFUND else Status.CRIT
    elif word.value in _DONE_REFUND:
        return
    else:
        match_class = MatchClass.NO_REFERENCE
        severity = Status.WARN if word in OPEN else Status.CRIT
    yield Finding(
        at,
        match_class,
        severity,
        f"row {row.key} of {row.name} is a refund of {row.money or row.row.amount} that Stripe "
        "does not have for this payment",
        money=row.money,
        row=row,
        facts={
            "class": match_class.value,
            "book": "refunds",
            "word": word.value if word else None,
            "local_status": row.row.status,
            "stripe_status": None,
            "processor_ref": row.row.processor_ref,
        },
    )
