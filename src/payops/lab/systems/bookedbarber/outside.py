"""What barbers take by processors of their own, and what they owe the platform for it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.lab.history.plan import HistoryPlan
from payops.lab.history.table import Table, at, major, naive
from payops.lab.stripe.objects import new_id

_RATE = "15.0"  # per cent
_COMMISSION_PER_MILLE = 150
_ROUTE = "/api/v2/external-payment-webhooks/"


@dataclass(frozen=True)
class Barber:
    """`mode` is centralized, hybrid or decentralized; `processor` is one of the barber's own."""

    name: str
    mode: str
    processor: str = ""


BARBERS = (  # each has an account at Connect as well: `connect_account`
    Barber("Anna", "centralized"),
    Barber("Bruno", "hybrid", "square"),
    Barber("Chloe", "decentralized", "stripe"),
    Barber("Dario", "decentralized", "paypal"),
)


def connect_account(barber: Barber) -> str:
    """The barber's account at Stripe Connect."""
    return f"acct_1Lab{barber.name}000000"


# What each processor calls a payment that went well, and how its ids begin.
_WORDS = {
    "square": ("COMPLETED", "sq"),
    "stripe": ("succeeded", "pi"),
    "paypal": ("completed", "pp"),
}


@dataclass(frozen=True)
class _Transaction:
    id: int
    connection: int
    barber: int
    external_id: str
    status: str
    cents: int
    at: datetime
    collected: bool

    @property
    def fee(self) -> int:
        """2.9 % + 30 cents."""
        return (self.cents * 29 + 500) // 1_000 + 30

    @property
    def commission(self) -> int:
        """15 %, half a cent up."""
        return (self.cents * _COMMISSION_PER_MILLE + 500) // 1_000


def tables(plan: HistoryPlan, *, upper: bool) -> Iterator[Table]:
    """Connections, their transactions, what was collected for them, and the barbers' settings."""
    told = list(_told(plan))
    began = naive(at(plan.first - 86_400))
    own = [(n, barber) for n, barber in enumerate(BARBERS, start=1) if barber.processor]

    def label(word: str) -> str:
        return word.upper() if upper else word

    yield Table(
        "payment_processor_connections",
        tuple(
            "id barber_id processor_type account_id account_name status webhook_url webhook_secret "
            "supports_payments supports_refunds supports_recurring default_currency last_sync_at "
            "last_transaction_at total_transactions total_volume connected_at created_at "
            "updated_at error_count".split()
        ),
        [
            (
                *(connection, n, label(barber.processor), f"{barber.processor}-{barber.name}"),
                *(f"{barber.name}'s shop", label("connected")),
                # As put right by hand: what the code stores is /api/v1/…, which is no route.
                f"https://api.barbers.example{_ROUTE}{barber.processor}",
                f"{barber.processor}-signing-secret-of-the-lab",
                *(True, True, False, "USD"),
                *_totals([one for one in told if one.connection == connection], began),
                *(began, began, began, 0),
            )
            for connection, (n, barber) in enumerate(own, start=1)
        ],
    )
    yield Table(
        "external_transactions",
        tuple(
            "id connection_id external_transaction_id amount currency processing_fee net_amount "
            "payment_method status processed_at refund_amount commission_rate commission_amount "
            "commission_collected created_at updated_at".split()
        ),
        (
            (
                *(one.id, one.connection, one.external_id, major(one.cents), "USD"),
                *(major(one.fee), major(one.cents - one.fee), "card", one.status, naive(one.at)),
                *(0, _RATE, major(one.commission), one.collected, naive(one.at), naive(one.at)),
            )
            for one in told
        ),
    )
    yield Table(
        "platform_collections",
        tuple(
            "id barber_id connection_id external_transaction_id collection_type amount currency "
            "description due_date grace_period_days status collection_method collected_at "
            "retry_count created_at updated_at".split()
        ),
        (
            (
                *(number, one.barber, one.connection, one.id, label("commission")),
                *(major(one.commission), "USD", f"Commission on {one.external_id}"),
                *(naive(one.at), 7, label("collected"), "ach", naive(one.at), 0),
                *(naive(one.at), naive(one.at)),
            )
            for number, one in enumerate((one for one in told if one.collected), start=1)
        ),
    )
    yield Table(
        "hybrid_payment_configs",
        tuple(
            "id barber_id payment_mode primary_processor fallback_to_platform collection_method "
            "collection_frequency auto_collection minimum_collection_amount "
            "collection_buffer_days maximum_outstanding notify_before_collection "
            "notification_days_ahead enable_installments enable_early_payment_discount "
            "early_payment_discount_rate created_at updated_at".split()
        ),
        (
            (
                *(n, n, label(barber.mode), label(barber.processor) or None, True, "ach"),
                *("weekly", True, 10, 3, 1000, True, 2, False, False, "0.02", began, began),
            )
            for n, barber in enumerate(BARBERS, start=1)
        ),
    )


def _told(plan: HistoryPlan) -> Iterator[_Transaction]:
    """One for every five payments of the platform's; those of the first half are collected."""
    rng = random.Random(f"{plan.seed} outside")
    own = [(n, barber) for n, barber in enumerate(BARBERS, start=1) if barber.processor]
    span = plan.last - plan.first
    moments = sorted(plan.first + int(span * rng.random()) for _ in range(plan.payments // 5))
    # Nobody is silent for a day: the last ones are of the last hours, one of each barber's.
    last = len(moments) - len(own)
    for number in range(max(last, 0), len(moments)):
        moments[number] = max(moments[number], plan.last - 3_600 * (len(moments) - number))
    for number, moment in enumerate(moments, start=1):
        connection = rng.randrange(len(own))
        if number > last:
            connection = (number - last - 1) % len(own)
        barber, processor = own[connection][0], own[connection][1].processor
        status, prefix = _WORDS[processor]
        yield _Transaction(
            id=number,
            connection=connection + 1,
            barber=barber,
            external_id=new_id(prefix, rng),
            status=status,
            cents=rng.randint(2_000, 12_000),
            at=at(moment) + timedelta(milliseconds=rng.randrange(1_000)),
            collected=moment < plan.first + span // 2,
        )


def _totals(told: Sequence[_Transaction], began: datetime | None) -> tuple[object, ...]:
    """last_sync_at, last_transaction_at, total_transactions, total_volume."""
    last = naive(told[-1].at) if told else None
    return last or began, last, len(told), major(sum(one.cents for one in told))
