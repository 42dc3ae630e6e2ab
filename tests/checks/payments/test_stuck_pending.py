"""Payments that nobody has finished."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.checks.payments.stuck_pending import CHECK, Facts, Row
from payops.domain.money import Money
from payops.domain.payment import OPEN
from payops.errors import NotConfiguredError
from payops.sources.ledger import OpenPayment, OpenPayments
from tools import (
    LEDGER,
    NOW,
    assert_crit,
    assert_is,
    assert_money,
    assert_ok,
    assert_warn,
    before,
    fake_context,
    gathered,
    judged,
    money,
    settings,
)

CONFIGURED = settings(postgres={"dsn": "x"}, ledgers={"payments": LEDGER})


def facts(count: int, minutes: float = 45, **more: Any) -> Facts:
    ref = more.pop("ref", "pi_3Abc")
    return Facts(
        as_of=NOW,
        count=count,
        oldest=before(minutes=minutes) if count else None,
        money=more.pop("money", (money("usd", 1000 * count, count),)),
        inexact=more.pop("inexact", 0),
        without_reference=more.pop("without_reference", 0),
        rows=tuple(
            Row(f"p{i}", ref, "pending", "10.00 USD", before(minutes=minutes))
            for i in range(min(count, 10))
        ),
        **more,
    )


def test_by_age_each_in_one_band() -> None:
    result = judged(CHECK, facts(9, 3000, hours=5, days=2))
    bands = {name: result.measured[name] for name in ("up_to_2h", "up_to_24h", "over_24h")}
    assert bands == {"up_to_2h": 4, "up_to_24h": 3, "over_24h": 2}
    assert result.evidence[-1].what == "by age: 4 of 30 min to 2 h, 3 of 2 h to 24 h, 2 older"
    assert judged(CHECK, facts(0)).measured["over_24h"] == 0


@pytest.mark.parametrize(
    ("count", "status", "words"),
    [
        (0, "OK", ["no payment pending for more than 30 min"]),
        (1, "WARN", ["1 payment pending for more than 30 min (single customers)", "for 45 min"]),
        (2, "WARN", ["2 payments pending", "(single customers)"]),
        (3, "WARN", ["(more than single customers)"]),
        (10, "WARN", ["(more than single customers)"]),  # equal is inside: 'more than 10'
        (11, "CRIT", ["11 payments pending", "(system-wide)"]),
        (1234, "CRIT", ["1,234 payments"]),
    ],
)
def test_around_each_limit(count: int, status: str, words: list[str]) -> None:
    result = judged(CHECK, facts(count))
    assert_is(status, result, *words)
    assert result.since == (before(minutes=45) if count else None)


@pytest.mark.parametrize(
    ("count", "minutes", "overrides", "status", "word"),
    [
        (5, 45, {"count": {"warn": 5}}, "OK", "within limits"),
        (6, 45, {"count": {"warn": 5}}, "WARN", "more than single"),
        (99, 45, {"count": {"crit": None}}, "WARN", "more than single"),
        (99, 45, {"count": {"warn": None, "crit": None}}, "OK", "within limits"),
        (2, 45, {"count": {"crit": 1}}, "CRIT", "(single customers)"),
        (1, 120, {"age": {"crit": "2h"}}, "WARN", "for 2 h"),  # equal
        (1, 121, {"age": {"crit": "2h"}}, "CRIT", "(single customers)"),
        (3, 121, {"age": {"crit": "2h"}}, "CRIT", "(more than single customers)"),
        (1, 45, {"age": {"warn": "5m"}}, "WARN", "for more than 5 min"),
        (1, 121, {"age": {"warn": None, "crit": "2h"}}, "CRIT", "for more than 2 h"),
    ],
)
def test_limits_of_the_configuration(
    count: int, minutes: int, overrides: dict[str, Any], status: str, word: str
) -> None:
    assert_is(status, judged(CHECK, facts(count, minutes), **overrides), word)


def test_the_customer_may_have_been_charged() -> None:
    result = judged(CHECK, facts(3, without_reference=2, inexact=1))
    assert_warn(result, "2 of them never got a Stripe id", "1 without a usable amount")
    assert_money(result, "30.00 USD (3)")
    assert [a.command for a in result.actions] == [
        "payops reconcile --since 2026-02-11T07:00:00Z --save-plan plan.json",
        "payops health --only payments.stuck-pending -o json",
        "payops trace pi_3Abc",
    ]
    assert result.evidence[0].what == "p0 pending 10.00 USD"
    assert result.evidence[0].detail["created_at"] == "2026-02-11T08:45:00Z"


def test_no_usable_amount_is_not_nothing_at_risk() -> None:
    result = judged(CHECK, facts(3, inexact=3, money=(money("usd", 0, 3),)))
    assert_warn(result, "3 without a usable amount")
    assert_money(result)
    assert "amount_unit" in result.actions[2].text


@pytest.mark.parametrize("ref", [None, "", "ch_1", "cs_test_1", "pi_1; rm -rf /", "pi_é", "pi_"])
def test_stripe_is_asked_for_a_payment_intent_only(ref: str | None) -> None:
    result = judged(CHECK, facts(1, ref=ref))
    assert_warn(result)
    assert not any("stripe " in action.command for action in result.actions)


def test_a_table_without_a_column_for_the_reference() -> None:
    result = judged(CHECK, facts(1, minutes=31, without_reference=None))
    assert_warn(result, "for 31 min")
    assert "Stripe id" not in result.summary


@pytest.mark.parametrize("minutes", [0, 9, -9])
def test_gather_asks_by_the_databases_clock(minutes: int, postgres: Any) -> None:
    fake = postgres(NOW + timedelta(minutes=minutes))
    found = gathered(CHECK, fake_context(CONFIGURED, postgres=fake))
    stuck = NOW + timedelta(minutes=minutes - 30)
    assert fake.asked["older_than"] == stuck
    assert fake.asked["newer_than"] == stuck - timedelta(days=7)
    assert fake.asked["statuses"] == OPEN
    assert_ok(judged(CHECK, found))


def test_gather_takes_the_limit_of_the_configuration(postgres: Any) -> None:
    fake = postgres(NOW)
    gathered(CHECK, fake_context(CONFIGURED, postgres=fake), age={"warn": "10d"})
    assert fake.asked["older_than"] == before(days=10)
    assert fake.asked["newer_than"] < fake.asked["older_than"]
    gathered(CHECK, fake_context(CONFIGURED, postgres=fake), age={"warn": None, "crit": "2h"})
    assert fake.asked["older_than"] == before(hours=2)


def test_without_a_limit_nothing_is_stuck(postgres: Any) -> None:
    with pytest.raises(NotConfiguredError, match="switched off"):
        gathered(CHECK, fake_context(CONFIGURED, postgres=postgres(NOW)), age={"warn": None})


def test_an_amount_that_is_null(postgres: Any) -> None:
    rows = (
        OpenPayment("1", None, "pending", None, before(hours=1)),
        OpenPayment("2", "pi_2", "PROC", Money("jpy", 0), before(minutes=40)),
    )
    open_ = OpenPayments(2, before(hours=1), (), 1, 1, rows, NOW)
    found = gathered(CHECK, fake_context(CONFIGURED, postgres=postgres(NOW, open=open_)))
    result = judged(CHECK, found)
    assert_warn(result, "the oldest for 1 h")
    assert [e.what for e in result.evidence][:2] == ["1 pending ?", "2 PROC 0 JPY"]
    assert result.actions[2].command.endswith("pi_2")


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(settings(postgres={"dsn": "x"})))


def test_crit_is_told_with_its_scope() -> None:
    assert_crit(judged(CHECK, facts(11, minutes=60 * 24 * 6)), "for 6 d")
