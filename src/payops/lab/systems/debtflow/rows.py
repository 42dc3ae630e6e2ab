"""DebtFlow's rows: debtors, their accounts, payments, and what the model signals wrote of them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID

from payops.lab.history import Ending, History
from payops.lab.history.shop import Shopper
from payops.lab.history.story import PaymentStory
from payops.lab.history.table import Table, at, major, named_uuid
from payops.lab.stripe.objects import derived_token

_AGENCY = named_uuid("agency", "debtflow")
_COLLECTOR = named_uuid("collector", "debtflow")
_PROCESSOR = named_uuid("processor", "debtflow")
_OF_PAYMENTS = 1  # django_content_type: payments.payment
_FAILED = frozenset({Ending.DECLINED, Ending.AUTHENTICATION_FAILED})


def idempotency_key(order_id: str, payment_id: UUID) -> str:
    """SHA-256 in hexadecimal, as DebtFlow makes it of account, amount and time."""
    return hashlib.sha256(f"{order_id}:{payment_id}".encode()).hexdigest()


def metadata(story: PaymentStory) -> dict[str, str]:
    """What DebtFlow puts on a PaymentIntent."""
    return {"account_id": str(_account(story.shopper)), "payment_id": str(story.payment_id)}


def _account(shopper: Shopper) -> UUID:
    return named_uuid("account", shopper.id)


def _debtor(shopper: Shopper) -> UUID:
    return named_uuid("debtor", shopper.id)


def _answered_at(story: PaymentStory) -> datetime:
    """When Stripe had made the intent, and the row became completed, whatever came of it."""
    return story.row_created_at + timedelta(milliseconds=900)


def _status(story: PaymentStory) -> str:
    if story.ending in _FAILED:
        return "failed"
    return "refunded" if story.refunds else "completed"


def _received(story: PaymentStory, *types: str) -> datetime:
    return max(told.received_at for told in story.events if told.type in types)


def tables(history: History) -> Iterator[Table]:
    """Every row, in the order of the foreign keys."""
    payments = history.stories.payments
    began = at(history.plan.first - 86_400)
    yield Table(
        "auth_user",
        tuple(
            "id username first_name last_name email is_staff is_active is_superuser password "
            "date_joined".split()
        ),
        [(1, "collector", "Cleo", "Ray", "cleo@agency.example", True, True, False, "!", began)],
    )
    yield Table(
        "accounts_agency",
        tuple("id name settings is_active created_at updated_at".split()),
        [(_AGENCY, "Lab Collections", "{}", True, began, began)],
    )
    yield Table(
        "accounts_collector",
        tuple("id commission_rate is_active max_accounts agency_id user_id".split()),
        [(_COLLECTOR, "0.1000", True, 500, _AGENCY, 1)],
    )
    yield from _people(history)
    yield Table(
        "payments_paymentprocessor",
        tuple(
            "id name slug api_base_url api_key_encrypted webhook_secret is_active created_at "
            "updated_at".split()
        ),
        [
            (
                *(_PROCESSOR, "Stripe", "stripe", "https://api.stripe.com"),
                *("unused", "unused", True, began, began),
            )
        ],
    )
    yield Table(
        "payments_payment",
        tuple(
            "id amount payment_method status processor_ref idempotency_key metadata created_at "
            "account_id processor_id".split()
        ),
        map(_payment, payments),
    )
    yield Table(
        "accounts_activity",
        tuple("id activity_type description metadata created_at account_id user_id".split()),
        (row for story in payments for row in _activities(story)),
    )
    yield Table(
        "audit_auditlog",
        tuple("action object_id changes created_at content_type_id".split()),
        _audit_log(payments),
    )


def _people(history: History) -> Iterator[Table]:
    """Debtors and accounts; a balance is what was owed less what was paid and kept."""
    paid: dict[str, int] = defaultdict(int)
    latest: dict[str, datetime] = {}
    for story in history.stories.payments:
        if _status(story) == "completed":
            paid[story.shopper.id] += story.amount
        latest[story.shopper.id] = _answered_at(story)
    yield Table(
        "accounts_debtor",
        tuple("id external_ref full_name ssn_last4 email created_at".split()),
        (
            (_debtor(one), f"debtor-{number}", one.name, "0000", one.email, at(one.created))
            for number, one in enumerate(history.stories.shoppers, start=1)
        ),
    )
    yield Table(
        "accounts_account",
        tuple(
            "id external_ref original_amount current_balance status priority created_at updated_at "
            "agency_id assigned_to_id debtor_id".split()
        ),
        (
            (
                *(_account(one), f"account-{number}"),
                *(major(paid[one.id] + 50_000), major(50_000), "payment_plan", 1),
                *(at(one.created), latest.get(one.id, at(one.created))),
                *(_AGENCY, _COLLECTOR, _debtor(one)),
            )
            for number, one in enumerate(history.stories.shoppers, start=1)
        ),
    )


def _payment(story: PaymentStory) -> tuple[object, ...]:
    kept: dict[str, object] = {
        "id": story.intent,
        "status": "requires_payment_method",  # as it was when it had just been made
        "client_secret": f"{story.intent}_secret_{derived_token(story.intent, 25)}",
    }
    if story.decline is not None:
        kept["failure_reason"] = story.decline.message
    if story.refunds:
        kept["refund"] = {"id": story.refunds[0].id, "status": "succeeded"}
    return (
        *(story.payment_id, major(story.amount), "card", _status(story), story.intent),
        *(story.idempotency_key, json.dumps(kept), story.row_created_at),
        *(_account(story.shopper), _PROCESSOR),
    )


def _activities(story: PaymentStory) -> Iterator[tuple[object, ...]]:
    account = _account(story.shopper)
    yield (
        named_uuid("activity", story.payment_id),
        "payment",
        f"Payment of ${major(story.amount)} received via card",
        json.dumps({"payment_id": str(story.payment_id), "processor_ref": story.intent}),
        *(_answered_at(story), account, 1),
    )
    for told in story.refunds:
        yield (
            named_uuid("activity", told.id),
            "payment",
            f"Refund of ${major(told.amount)} processed. Reason: {told.reason}",
            json.dumps({"payment_id": str(story.payment_id), "refund_id": told.id}),
            *(at(told.created), account, 1),
        )


_AuditRow = tuple[str, UUID, str, datetime, int]


def _audit_log(payments: Sequence[PaymentStory]) -> list[_AuditRow]:
    return sorted((row for story in payments for row in _audit(story)), key=itemgetter(3))


def _audit(story: PaymentStory) -> Iterator[_AuditRow]:
    """The row's own history: its latest time stands in for the missing `updated_at`."""

    def row(action: str, changes: dict[str, object], when: datetime) -> _AuditRow:
        return action, story.payment_id, json.dumps(changes), when, _OF_PAYMENTS

    def became(old: str, new: str, when: datetime) -> _AuditRow:
        return row("update", {"status": {"old": old, "new": new}}, when)

    new = {"amount": str(major(story.amount)), "status": "pending"}
    yield row("create", {"new": new}, story.row_created_at)
    yield became("pending", "completed", _answered_at(story))
    if story.ending in _FAILED:
        yield became("completed", "failed", _received(story, "payment_intent.payment_failed"))
    if story.refunds:
        yield became("completed", "refunded", _received(story, "charge.refunded"))
