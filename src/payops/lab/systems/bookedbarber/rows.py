"""BookedBarber's rows: people, appointments, payments by the platform's own Stripe account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from uuid import UUID

from payops.lab.history import Ending, History
from payops.lab.history.story import PaymentStory, Refund
from payops.lab.history.table import Table, at, major, naive
from payops.lab.systems.bookedbarber import outside
from payops.lab.systems.bookedbarber.money import gift, price_of
from payops.lab.systems.bookedbarber.outside import BARBERS, connect_account

_FIRST_CLIENT = 101
_COMMISSION = 20  # per cent
_STATUSES = {
    Ending.DECLINED: "failed",
    Ending.AUTHENTICATION_FAILED: "failed",
    Ending.REFUNDED: "refunded",
    Ending.PARTIALLY_REFUNDED: "partially_refunded",
}


def no_key(order_id: str, payment_id: UUID) -> str:
    """BookedBarber keeps idempotency keys in Postgres, and sends Stripe none."""
    del order_id, payment_id
    return ""


def metadata(story: PaymentStory) -> dict[str, str]:
    """What is put on a PaymentIntent; amounts as Python writes a float."""
    price = _price(story)
    used = gift(price, story.payment_id)
    return {
        "booking_id": str(_booking(story)),
        "original_amount": str(price / 100),
        "gift_cert_used": str(used / 100) if used else "0",
    }


def _booking(story: PaymentStory) -> int:
    """The key of the appointment, and of the payment: the number of the order, from 1."""
    return int(story.order_id.removeprefix("order-")) - 100_000


def _price(story: PaymentStory) -> int:
    return price_of(story.amount, story.payment_id)


def _stored_at(story: PaymentStory) -> datetime:
    """The row is written once Stripe has answered."""
    asked = at(story.created)
    return asked + (asked - story.row_created_at)


def tables(history: History, *, upper: bool) -> Iterator[Table]:
    """Every row, in the order of the foreign keys; `upper` is the case of the enums' labels."""
    yield from _Rows(history).tables()
    yield from outside.tables(history.plan, upper=upper)


class _Rows:
    """The platform's own side; keys are small numbers, given in the order of the history."""

    def __init__(self, history: History) -> None:
        self._payments = history.stories.payments
        self._shoppers = history.stories.shoppers
        self._began = naive(at(history.plan.first - 86_400))
        self._clients = {one.id: _FIRST_CLIENT + n for n, one in enumerate(self._shoppers)}

    @cached_property
    def _gifts(self) -> dict[UUID, tuple[int, int]]:
        """By payment: the key of its gift certificate, and the cents that it paid."""
        used = ((one.payment_id, gift(_price(one), one.payment_id)) for one in self._payments)
        with_gift = [(payment, cents) for payment, cents in used if cents]
        return {payment: (n, cents) for n, (payment, cents) in enumerate(with_gift, start=1)}

    def tables(self) -> Iterator[Table]:
        """In the order of the foreign keys."""
        yield Table(
            "organizations",
            ("id", "name", "slug", "created_at", "updated_at"),
            [(1, "Lab Barbers", "lab-barbers", self._began, self._began)],
        )
        yield Table(
            "users",
            tuple(
                "id email name role unified_role is_active created_at stripe_account_id "
                "commission_rate payment_mode".split()
            ),
            (*self._barbers(), *self._users()),
        )
        yield Table(
            "appointments",
            tuple(
                "id user_id barber_id organization_id service_name start_time duration_minutes "
                "price status created_at".split()
            ),
            map(self._appointment, self._payments),
        )
        yield Table(
            "gift_certificates",
            ("id", "code", "amount", "balance", "status", "valid_from", "created_at"),
            (
                (n, f"LAB-{n:06d}", major(cents), 0, "used", self._began, self._began)
                for n, cents in self._gifts.values()
            ),
        )
        yield Table(
            "payments",
            tuple(
                "id user_id appointment_id barber_id organization_id amount status "
                "stripe_payment_id stripe_payment_intent_id platform_fee barber_amount "
                "commission_rate refund_amount refund_reason refunded_at gift_certificate_id "
                "gift_certificate_amount_used created_at updated_at".split()
            ),
            map(self._payment, self._payments),
        )
        made = [(story, told) for story in self._payments for told in story.refunds]
        yield Table(
            "refunds",
            tuple(
                "id payment_id amount reason status stripe_refund_id initiated_by_id created_at "
                "processed_at".split()
            ),
            (_refund(n, story, told) for n, (story, told) in enumerate(made, start=1)),
        )

    def _barbers(self) -> Iterator[tuple[object, ...]]:
        for id_, barber in enumerate(BARBERS, start=1):
            yield (
                *(id_, f"{barber.name.lower()}@barbers.example", barber.name, "barber", "barber"),
                *(True, self._began, connect_account(barber), "0.20", barber.mode),
            )

    def _users(self) -> Iterator[tuple[object, ...]]:
        for one in self._shoppers:
            yield (
                *(self._clients[one.id], one.email, one.name, "user", "client", True),
                *(naive(at(one.created)), None, None, "centralized"),
            )

    def _appointment(self, story: PaymentStory) -> tuple[object, ...]:
        created = naive(story.row_created_at)
        return (
            *(_booking(story), self._clients[story.shopper.id], _barber(story), 1, "Haircut"),
            *(created, 30, major(_price(story))),
            *("confirmed" if story.ending.paid else "pending", created),
        )

    def _payment(self, story: PaymentStory) -> tuple[object, ...]:
        price, last = _price(story), story.refunds[-1] if story.refunds else None
        certificate, used = self._gifts.get(story.payment_id, (None, 0))
        fee = (price - used) * _COMMISSION // 100
        told = (story.ending.event, "charge.refunded")
        return (
            *(_booking(story), self._clients[story.shopper.id], _booking(story), _barber(story), 1),
            *(major(price), _STATUSES.get(story.ending, "completed")),
            *(story.intent if story.ending.paid else None, story.intent),
            *(major(fee), major(price - used - fee), "0.20"),
            major(sum(refund.amount for refund in story.refunds)) if last else None,
            last.reason if last else None,
            naive(at(last.created)) if last else None,
            *(certificate, major(used), naive(_stored_at(story))),
            naive(max(one.received_at for one in story.events if one.type in told)),
        )


def _barber(story: PaymentStory) -> int:
    return 1 + story.payment_id.int % len(BARBERS)


def _refund(number: int, story: PaymentStory, told: Refund) -> tuple[object, ...]:
    made = naive(at(told.created))
    return (
        *(number, _booking(story), major(told.amount), told.reason, "completed", told.id, 1),
        *(made, made),
    )
