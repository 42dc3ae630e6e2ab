"""Payments by an amount and a time, or by the request that made them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from payops.domain.evidence import Action
from payops.domain.money import Money, exponent
from payops.domain.window import Window
from payops.sources.stripe_payment import (
    Intent,
    StoryEvent,
)
from payops.trace.found import (
    Candidate,
    Found,
    candidate,
    dashboard,
    intent_of,
    subject_of_row,
)
from payops.trace.gather import Subject
from payops.trace.gather_ledger import ledgers
from payops.trace.gather_stripe import Page
from payops.trace.reach import Reach, Unseen
from payops.trace.story import LedgerRow, moment

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.lookup import NamedRow

_MOST_CANDIDATES = 20
_PAGES_AROUND = 3


def find_request(reach: Reach, id_: str) -> Found:
    """Stripe gives no requests: an event of the newest may name it."""
    is_ = f"{id_}, a request to Stripe"
    cursor: dict[str, str] = {}
    for _ in range(_PAGES_AROUND):
        page = reach.stripe(
            "the newest events", "/v1/events", Page[StoryEvent], limit=100, **cursor
        )
        if page is None:
            break
        for event in page.data:
            if event.request_id != id_:
                continue
            if event.payment_intent:
                return Found(
                    is_,
                    (Subject(event.payment_intent, event=event),),
                    notes=(f"{id_} made {event.id} ({event.type})",),
                )
        if not page.has_more or not page.data:
            break
        cursor = {"starting_after": page.data[-1].id}
    return Found(
        is_,
        answer="Stripe's API does not give requests, and none of its newest events names this "
        "one: the Dashboard shows it",
        actions=(Action(f"open {dashboard(reach, 'logs', id_)}"),),
        unknown=True,
    )


def newest(reach: Reach, since: datetime, most: int) -> Found:
    """The newest rows of the ledgers made since then, as candidates (S2-14)."""
    rows: list[LedgerRow] = []
    for name, ledger in ledgers(reach).items():
        told = reach.ask(
            "postgres", f"the ledger {name}", partial(_since, reach, ledger, since, most)
        )
        rows += [LedgerRow(name, ledger, row) for row in told or ()]
    rows.sort(key=lambda one: (-(one.row.created_us or 0), one.name, one.key))
    unseen = "; ".join(f"{one.source}: {one.why}" for one in reach.unseen)
    return Found(
        "the newest payments",
        answer=f"{len(rows[:most])} payments since {since:%Y-%m-%d %H:%M:%S} UTC, the newest first"
        if rows or reach.sees("postgres")
        else f"the ledger could not be asked: {unseen or 'postgres is not configured'}",
        candidates=tuple(
            candidate(intent_of((one,)) or f"local:{one.key}", one) for one in rows[:most]
        ),
        unknown=not reach.sees("postgres"),
    )


def _since(reach: Reach, ledger: Ledger, since: datetime, most: int) -> list[NamedRow]:
    from payops.sources.ledger_near import rows_since

    return rows_since(reach.sources.postgres, ledger, since, most)


def around(reach: Reach, amount: Decimal, window: Window) -> Found:
    """Payments of this amount (major units, any currency) made in the window."""
    is_ = f"{amount} between {window.since:%H:%M:%S} and {window.until:%H:%M:%S} UTC"
    found: dict[str, tuple[Subject, Candidate]] = {}
    for name, ledger in ledgers(reach).items():
        stored = _stored(amount, ledger.amount_unit)
        asked = partial(_around, reach, ledger, window, stored)
        for row in reach.ask("postgres", f"the ledger {name}", asked) or []:
            one = LedgerRow(name, ledger, row)
            if _same(one, amount):
                key = intent_of((one,)) or f"{name} {row.key}"
                found[key] = (
                    subject_of_row(reach, (one,)) if not found else Subject(rows=(one,)),
                    candidate(intent_of((one,)) or f"local:{row.key}", one),
                )
    for intent in _intents_around(reach, amount, window):
        money = Money(intent.currency, intent.amount)
        found.setdefault(
            intent.id,
            (
                Subject(intent.id),
                Candidate(intent.id, "PaymentIntent", moment(intent.created), money, intent.status),
            ),
        )
    if len(found) == 1:
        subject, _ = next(iter(found.values()))
        return Found(is_, (subject,))
    if not found:
        return Found(
            is_,
            answer=f"no payment of {amount} was made from {window.since:%Y-%m-%d %H:%M:%S} to "
            f"{window.until:%Y-%m-%d %H:%M:%S} UTC: a wider --window, or another time zone?",
            unknown=True,
        )
    candidates = sorted(
        (candidate for _, candidate in found.values()),
        key=lambda one: (one.at or datetime.min.replace(tzinfo=UTC), one.ask),
    )
    return Found(
        is_,
        answer=f"{len(found)} payments of {amount} were made in this window: name the one",
        candidates=tuple(candidates),
        unknown=True,
    )


def _around(reach: Reach, ledger: Ledger, window: Window, stored: list[Decimal]) -> list[NamedRow]:
    from payops.sources.ledger_near import rows_around

    return rows_around(reach.sources.postgres, ledger, window, stored, _MOST_CANDIDATES)


def _stored(amount: Decimal, unit: str) -> list[Decimal]:
    """How a ledger may have stored it: its currency is not known yet."""
    if unit == "major":
        return [amount]
    return [scaled for places in (0, 2, 3) if (scaled := amount.scaleb(places)) == int(scaled)]


def _same(row: LedgerRow, amount: Decimal) -> bool:
    wanted = amount.scaleb(exponent(row.currency))
    return wanted in (row.stored, row.charged)


def _intents_around(reach: Reach, amount: Decimal, window: Window) -> list[Intent]:
    found: list[Intent] = []
    cursor: dict[str, str] = {}
    for number in range(_PAGES_AROUND):
        page = reach.stripe(
            "the payments of that time",
            "/v1/payment_intents",
            Page[Intent],
            created={
                "gte": int(window.since.timestamp()),
                "lt": int((window.until + timedelta(seconds=1)).timestamp()),
            },
            limit=100,
            **cursor,
        )
        if page is None:
            break
        found += [one for one in page.data if amount.scaleb(exponent(one.currency)) == one.amount]
        if not page.has_more or not page.data:
            break
        cursor = {"starting_after": page.data[-1].id}
        if number == _PAGES_AROUND - 1:
            reach.note(
                Unseen("stripe", "the payments of that time", "so many that not all were read")
            )
    return found
