"""Events that Stripe could not deliver to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from payops.checks.webhooks.backlog import AT_MOST, CHECK, Facts, Undelivered
from payops.domain.money import Money
from payops.domain.webhook import Had, PathEvent
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.stripe import Listing
from payops.sources.stripe_objects import Event, Subject, _EventBody
from tools import (
    NOW,
    Raises,
    assert_is,
    assert_money,
    assert_ok,
    assert_unknown,
    before,
    fake_context,
    gathered,
    judged,
)


def event(n: int, type_: str = "charge.updated", seconds: float = 7200, **more: Any) -> Undelivered:
    return Undelivered(
        id=more.get("id", f"evt_{n}"),
        type=type_,
        created=before(seconds),
        payment_intent=more.get("intent", f"pi_{n}"),
        amount=more.get("amount", Money("usd", 1000)),
    )


def events(count: int, type_: str = "charge.updated", *, complete: bool = True) -> Facts:
    return Facts(NOW, tuple(event(n, type_) for n in range(count)), complete)


@pytest.mark.parametrize(
    ("count", "status", "words"),
    [
        (0, "OK", ["no undelivered events"]),
        (1, "OK", ["1 event of 1 type not delivered, the oldest 2 h old"]),
        (3, "OK", ["3 events of 1 type"]),
        (4, "WARN", ["4 events"]),  # 'more than 3'
        (10, "WARN", ["10 events"]),
        (11, "CRIT", ["11 events"]),
    ],
)
def test_around_each_limit(count: int, status: str, words: list[str]) -> None:
    assert_is(status, judged(CHECK, events(count)), *words)


@pytest.mark.parametrize(
    ("count", "overrides", "status"),
    [
        (1, {"count": {"warn": 0}}, "WARN"),
        (50, {"count": {"crit": 50}}, "WARN"),
        (51, {"count": {"crit": 50}}, "CRIT"),
        (300, {"count": {"crit": None}}, "WARN"),
        (300, {"count": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_limits_of_the_configuration(count: int, overrides: dict[str, Any], status: str) -> None:
    assert_is(status, judged(CHECK, events(count), **overrides))


def test_paid_orders_count_once_each() -> None:
    paid = "payment_intent.succeeded"
    result = judged(
        CHECK,
        Facts(
            NOW,
            (
                event(1, paid, 600),
                event(2, paid, 1200, intent="pi_1"),
                event(3, paid, 90, intent="", amount=Money("jpy", 700)),
                event(4, paid, 90, amount=None),
                event(5, "charge.refunded", 90),
            ),
            True,
        ),
    )
    assert_is("WARN", result, "5 events of 2 types", "they tell of 2 paid orders", "20 min old")
    assert_money(result, "700 JPY (1)", "10.00 USD (1)")
    assert result.since == before(1200)
    assert result.evidence[0].what == "payment_intent.succeeded evt_2"
    assert result.evidence[0].detail["created"] == "2026-02-11T09:10:00Z"
    assert "1 paid order" in judged(CHECK, Facts(NOW, (event(1, paid),), True)).summary


def test_more_than_was_read_is_said() -> None:
    result = judged(CHECK, events(AT_MOST, "payment_intent.succeeded", complete=False))
    assert_is("CRIT", result, "300 or more events", "the oldest at least 2 h", "at least 300 paid")
    assert len(result.evidence) == 10


def test_a_busy_last_minute_may_hide_a_backlog() -> None:
    assert_unknown(judged(CHECK, events(0, complete=False)), "a backlog cannot be told")


def test_hostile_events_stay_data() -> None:
    bad = event(1, "x\x1b[31m`rm -rf /`", id="evt_1; rm -rf /", intent="$(reboot)")
    result = judged(CHECK, Facts(NOW, (bad,) * 4, True))
    assert_is("WARN", result)
    assert not any("rm" in action.command for action in result.actions)
    commands = [action.command for action in result.actions]
    assert any(command.startswith("payops webhooks status --since 20") for command in commands)


@dataclass
class FakeStripe:
    """`undelivered_events` as Stripe's clock has it."""

    items: tuple[Event, ...]
    as_of: datetime = NOW
    complete: bool = True
    since: datetime | None = None

    def undelivered_events(self, since: datetime, at_most: int) -> Listing[Event]:
        self.since = since
        return Listing(self.items[:at_most], self.complete, ("req_1",), self.as_of)


def raw(age_s: float, *, at: datetime = NOW, **subject: Any) -> Event:
    return Event(
        id="evt_1",
        type="payment_intent.succeeded",
        created=int((at - timedelta(seconds=age_s)).timestamp()),
        livemode=False,
        data=_EventBody(Subject(id="pi_1", object="payment_intent", **subject)),
    )


@pytest.mark.parametrize(("age_s", "counted"), [(0, 0), (59, 0), (60, 1), (61, 1)])
@pytest.mark.parametrize("minutes", [0, 5, -5])
def test_the_youngest_are_on_their_way_by_stripes_clock(
    age_s: int, counted: int, minutes: int
) -> None:
    theirs = NOW + timedelta(minutes=minutes)
    found = gathered(CHECK, fake_context(stripe=FakeStripe((raw(age_s, at=theirs),), theirs)))
    assert len(found.events) == counted
    assert found.as_of == theirs


def test_a_fraction_of_a_second_below_a_minute_is_still_on_its_way() -> None:
    theirs = NOW + timedelta(milliseconds=999)
    fake = FakeStripe((raw(59),), theirs)  # 59.999 s
    assert not gathered(CHECK, fake_context(stripe=fake)).events


def test_odd_objects() -> None:
    fake = FakeStripe((raw(100, amount=1, currency=None), raw(100, amount="1", currency="usd")))
    found = gathered(CHECK, fake_context(stripe=fake))
    assert [one.amount for one in found.events] == [None, None]
    assert fake.since == NOW - timedelta(days=3)
    assert_ok(judged(CHECK, found), "2 events")


def test_an_amount_that_cannot_be_printed_is_none() -> None:
    fake = FakeStripe((raw(100, amount=10**4301, currency="usd"),))
    assert [one.amount for one in gathered(CHECK, fake_context(stripe=fake)).events] == [None]


@pytest.mark.parametrize("created", [-1, 10**12, 10**17])
def test_a_time_that_is_none_is_no_event(created: int) -> None:
    event = {"id": "evt_1", "type": "x", "created": created, "livemode": False}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(event, Event)


def test_what_was_had_since_is_told_and_not_counted() -> None:
    one, two, three = (msgspec.structs.replace(raw(100), id=f"evt_{n}") for n in (1, 2, 3))
    asked: list[PathEvent] = []

    def had(events: Sequence[PathEvent], as_of: datetime) -> Had:
        asked.extend(events)
        assert as_of == NOW
        return Had(since=frozenset({"evt_1"}), at_once=frozenset({"evt_2"}))

    context = fake_context(stripe=FakeStripe((one, two, three)))
    found = gathered(CHECK, replace(context, had=had))
    assert [each.id for each in asked] == ["evt_1", "evt_2", "evt_3"]
    assert {(each.object_id, each.payment_intent) for each in asked} == {("pi_1", "pi_1")}
    assert [each.id for each in found.events] == ["evt_2", "evt_3"]
    assert (found.had_since, found.had_at_once) == (1, 1)


def test_nobody_is_asked_of_nothing() -> None:
    def had(events: Sequence[PathEvent], as_of: datetime) -> Had:
        raise AssertionError(events)

    context = fake_context(stripe=FakeStripe((raw(59),)))
    assert not gathered(CHECK, replace(context, had=had)).events


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        (
            Facts(NOW, (), True, had_since=12),
            "OK",
            ["12 that Stripe still owes were handled here already"],
        ),
        (Facts(NOW, (), True, had_since=1), "OK", ["1 that Stripe still owes was handled here"]),
        (Facts(NOW, (), False, had_since=300), "UNKNOWN", ["only the newest 300 were read"]),
        (
            replace(events(11), had_since=2, had_at_once=11),
            "CRIT",
            ["11 events", "11 of them were handled here when made", "2 that Stripe still owes"],
        ),
    ],
)
def test_what_was_had_here(facts: Facts, status: str, words: list[str]) -> None:
    assert_is(status, judged(CHECK, facts), *words)


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
    with pytest.raises(SourceError, match="permission denied"):
        gathered(CHECK, fake_context(stripe=Raises(Failure.PERMISSION)))
