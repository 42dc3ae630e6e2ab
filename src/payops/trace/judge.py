"""What is wrong between Stripe and the ledgers, by the classes and the order of a reconciliation.

Pure. One payment is judged as `reconcile` judges a million (`domain.pairs` is the table that both
have); here every finding keeps the moment at which the two sides began to disagree.
"""

from __future__ import annotations

from collections.abc import Iterator

from payops.domain.discrepancy import MatchClass
from payops.domain.money import Money
from payops.domain.payment import OPEN, PAID, PaymentStatus
from payops.domain.status import Status
from payops.sources.stripe_payment import Intent
from payops.trace.finding import Finding, became, true_state
from payops.trace.judge_money import of_dispute, of_money
from payops.trace.judge_pair import of_pair
from payops.trace.judge_refunds import of_refunds
from payops.trace.story import LedgerRow, Story, moment

# Of two that begin in one second the one that the order of `domain.pairs` puts first.
_ORDER = {each: number for number, each in enumerate(MatchClass)}


def findings(story: Story) -> list[Finding]:
    """All of them, the earliest first; those that may still be on their way are left out."""
    found = [*_payment(story), *of_refunds(story)]
    late = story.now - story.event_within
    found = [one for one in found if one.at <= late]
    return sorted(found, key=lambda one: (one.at, _ORDER[one.match_class], one.sentence))


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
    second = list(_second_charge(story))
    yield from second
    if row is None:
        if not second:  # that is the worse of the two
            yield from _intent_alone(story)
        return
    yield from _duplicates(story, row)
    state = true_state(story)
    if row.word is None or state is None:
        yield _unknown_word(story, row)
        return
    yield from of_pair(story, row, state)
    if intent is not None:
        yield from of_money(story, row, intent)
        yield from of_dispute(story, row)


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
        yield _unknown_word(story, row)
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
        if not orders & theirs or other.kept <= 0:
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
    metadata = intent.metadata or {}
    return {str(metadata[key]) for key in story.meta_keys if metadata.get(key) not in (None, "")}


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


def _unknown_word(story: Story, row: LedgerRow) -> Finding:
    status = story.intent.status if story.intent else None
    word = row.row.status if row.word is None else status
    where = f"row {row.key} of {row.name}" if row.word is None else "Stripe"
    intent = story.intent
    took = story.taken - story.given
    money = row.money if intent is None else Money(intent.currency, took)
    return Finding(
        row.updated or row.created or story.now,
        MatchClass.UNEXPECTED_STATUS,
        Status.CRIT if intent is not None and took > 0 else Status.WARN,
        f"{where} says {word!r}, which the mapping does not know",
        row=row,
        money=money,
        facts={
            "class": "unexpected_status",
            "word": row.word.value if row.word else None,
            "local_status": row.row.status,
            "stripe_status": status,
        },
    )
