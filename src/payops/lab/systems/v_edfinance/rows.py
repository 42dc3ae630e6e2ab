"""V-EdFinance's rows: users, courses, transactions, and the access that was given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from payops.lab.history import History
from payops.lab.history.shop import Shopper
from payops.lab.history.story import PaymentStory
from payops.lab.history.stripe_side import customer_id, session_id
from payops.lab.history.table import Table, at, naive, named_uuid

# Whole dong. So many courses that hardly anybody buys one twice.
_PRICES = (99_000, 199_000, 299_000, 499_000, 790_000, 990_000, 1_490_000, 2_490_000)
_COURSES = 99_991


def course_price(price: int, payment_id: UUID) -> int:
    """The price of the course that is bought."""
    del price
    return _PRICES[_course_number(payment_id) % len(_PRICES)]


def no_key(order_id: str, payment_id: UUID) -> str:
    """No Idempotency-Key is sent."""
    del order_id, payment_id
    return ""


def session_metadata(story: PaymentStory) -> dict[str, str]:
    """What is put on the Checkout Session; the PaymentIntent gets nothing."""
    return {
        "transactionId": str(story.payment_id),
        "userId": _user(story.shopper),
        "courseId": _course(story.payment_id),
    }


def _course_number(payment_id: UUID) -> int:
    return payment_id.int % _COURSES


# Ids are text in the older generation: written with their hyphens.
def _course(payment_id: UUID) -> str:
    return str(named_uuid("course", _course_number(payment_id)))


def _lesson(payment_id: UUID) -> str:
    return str(named_uuid("lesson", _course_number(payment_id)))


def _user(shopper: Shopper) -> str:
    return str(named_uuid("user", shopper.id))


def _received(story: PaymentStory, type_: str) -> datetime | None:
    found = max((told.received_at for told in story.events if told.type == type_), default=None)
    # timestamp(3): cut here as the database would round it
    return naive(found and found.replace(microsecond=found.microsecond // 1000 * 1000))


def _created(story: PaymentStory) -> datetime | None:
    return naive(story.row_created_at)


def prisma_tables(history: History) -> Iterator[Table]:
    """The rows of the NestJS generation: its webhook handler's trace and the buyers' progress."""
    payments = history.stories.payments
    yield from _people_and_courses(history)
    yield Table(
        "Lesson",
        ("id", "courseId", "order"),
        ((_lesson(p.payment_id), _course(p.payment_id), 1) for p in _one_a_course(payments)),
    )
    yield _transactions(history)
    yield Table(
        "UserProgress",
        ("id", "userId", "lessonId", "status", "createdAt", "updatedAt"),
        (
            (
                str(named_uuid("progress", story.payment_id)),
                *(_user(story.shopper), _lesson(story.payment_id), "STARTED"),
                *[_received(story, "checkout.session.completed")] * 2,
            )
            for story in _first_of_each_buyer(payments)
        ),
    )
    yield Table(
        "BehaviorLog",
        ("id", "userId", "sessionId", "path", "eventType", "payload", "timestamp"),
        (
            (
                str(named_uuid("log", story.payment_id)),
                *(_user(story.shopper), "webhook", "/payment/webhook", "COURSE_ENROLLED"),
                json.dumps(
                    {
                        "courseId": _course(story.payment_id),
                        "transactionId": str(story.payment_id),
                        "firstLessonId": _lesson(story.payment_id),
                    }
                ),
                _received(story, "checkout.session.completed"),
            )
            for story in payments
        ),
    )


def drizzle_tables(history: History) -> Iterator[Table]:
    """The rows of the newer generation: logins beside users, enrollments."""
    payments = history.stories.payments
    yield Table(
        "user",
        ("id", "name", "email"),
        ((f"login-{n}", one.name, one.email) for n, one in enumerate(history.stories.shoppers)),
    )
    yield from _people_and_courses(history)
    yield _transactions(history)
    yield Table(
        "Enrollment",
        ("id", "userId", "courseId", "enrolledAt"),
        (
            (
                str(named_uuid("enrollment", story.payment_id)),
                *(_user(story.shopper), _course(story.payment_id)),
                _received(story, "checkout.session.completed"),
            )
            for story in _first_of_each_buyer(payments)
        ),
    )


def _people_and_courses(history: History) -> Iterator[Table]:
    before = naive(at(history.plan.first - 86_400))
    payments = history.stories.payments
    latest = {one.shopper.id: customer_id(history.plan, one) for one in payments}
    yield Table(
        "User",
        ("id", "email", "name", "role", "stripeCustomerId", "createdAt", "updatedAt"),
        (
            (
                *(_user(one), one.email, json.dumps({"vi": one.name, "en": one.name})),
                *("STUDENT", latest.get(one.id), naive(at(one.created)), naive(at(one.created))),
            )
            for one in history.stories.shoppers
        ),
    )
    yield Table(
        "Course",
        ("id", "slug", "title", "price", "published", "createdAt", "updatedAt"),
        (
            (
                *(_course(p.payment_id), f"course-{_course_number(p.payment_id)}", '{"vi": "…"}'),
                *(p.amount, True, before, before),
            )
            for p in _one_a_course(payments)
        ),
    )


def _transactions(history: History) -> Table:
    return Table(
        "Transaction",
        (
            *("id", "userId", "courseId", "amount", "currency", "status", "stripeSessionId"),
            *("stripePaymentIntentId", "metadata", "createdAt", "updatedAt", "completedAt"),
            "refundedAt",
        ),
        (
            (
                *(str(story.payment_id), _user(story.shopper), _course(story.payment_id)),
                *(story.amount, story.currency, "REFUNDED" if story.refunds else "COMPLETED"),
                *(session_id(history.plan, story), story.intent, _kept(story), _created(story)),
                refunded or completed,
                *(completed, refunded),
            )
            for story in history.stories.payments
            for completed in [_received(story, "checkout.session.completed")]
            for refunded in [_received(story, "charge.refunded")]
        ),
    )


def _kept(story: PaymentStory) -> str | None:
    if not story.refunds:
        return None
    refund = {"refundAmount": story.amount, "refundReason": story.refunds[-1].reason}
    return json.dumps(refund)


def _one_a_course(payments: Sequence[PaymentStory]) -> Iterator[PaymentStory]:
    yield from {_course_number(one.payment_id): one for one in payments}.values()


def _first_of_each_buyer(payments: Sequence[PaymentStory]) -> Iterator[PaymentStory]:
    """A course that is bought twice by one user is opened once."""
    found: dict[tuple[str, int], PaymentStory] = {}
    for story in payments:
        found.setdefault((story.shopper.id, _course_number(story.payment_id)), story)
    yield from found.values()
