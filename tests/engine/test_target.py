"""Whether a plan may be applied at all: pure tables. The rest is in tests/cli/test_apply.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from payops.domain.plan import Caps, Change, Plan, Target, signed
from payops.domain.plan_redis import CLEAR
from payops.engine.target import check_account, check_redis, is_production
from payops.errors import Failure, RefusedError, SourceError
from tools import NOW, FakeSources, Raises, settings

KEY = "sk_test_" + "x" * 24
BREAKER = {"name": "stripe", "layout": "split", "keys": {"state": "circuit_breaker:stripe:state"}}


@dataclass
class Account:
    id: str


@dataclass
class Answer:
    value: Account


@dataclass
class Stripe:
    id: str = "acct_1"
    asked: list[str] = field(default_factory=list)

    def account(self) -> Answer:
        self.asked.append("account")
        return Answer(Account(self.id))


def plan(account: str) -> Plan:
    target = Target("postgres", "test", "shop", "postgres:1/2", account)
    return signed(Plan("payops reconcile", NOW, 3600, target, (), Caps(1)))


def check(wanted: str, stripe: Any, **configured: str) -> str:
    given = settings(stripe={"secret_key": KEY, **configured})
    return check_account(plan(wanted), given, FakeSources(stripe=stripe))  # type: ignore[arg-type]


def test_a_plan_that_does_not_rest_on_stripe_asks_nobody() -> None:
    stripe = Stripe()
    assert check("", stripe) == ""
    assert stripe.asked == []


def test_the_account_is_asked_for() -> None:
    assert check("acct_1", Stripe()) == ""
    with pytest.raises(RefusedError, match="acct_2, this key is of acct_1"):
        check("acct_2", Stripe())
    with pytest.raises(RefusedError, match="this key is of acct_1"):
        check("acct_2", Stripe(), account="acct_2")


def test_while_stripe_is_down_the_configuration_may_answer_for_it() -> None:
    down = Raises(Failure.TIMED_OUT, "stripe")
    assert "could not be asked (timed out)" in check("acct_1", down, account="acct_1")
    for configured in ({}, {"account": "acct_2"}):
        with pytest.raises(RefusedError, match="cannot be told"):
            check("acct_1", down, **configured)
    assert isinstance(down.error, SourceError)


@pytest.mark.parametrize(
    ("environment", "key", "answer"),
    [
        ("production", "", True),
        ("Prod-eu", "", True),
        ("live", "", True),
        ("staging", "", False),
        ("test", KEY, False),
        ("test", "sk_live_" + "x" * 24, True),
        ("lab", "rk_live_" + "x" * 24, True),
    ],
)
def test_what_is_production(environment: str, key: str, answer: bool) -> None:
    sections = {"stripe": {"secret_key": key}} if key else {}
    assert is_production(settings(environment=environment, **sections)) is answer


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"remedy": CLEAR, "before": {}, "after": {"cache:a": "1"}}, "clears one key"),
        ({"remedy": CLEAR, "before": {"cache:a": "x"}, "after": {"cache:a": "1"}}, "clears one"),
        (
            {
                "remedy": CLEAR,
                "before": {"cache:a": "x", "cache:b": "y"},
                "after": {"cache:a": None, "cache:b": None},
            },
            "clears one key",
        ),
        ({"remedy": CLEAR, "before": {"b": "x"}, "after": {"b": None}}, "no key of a configured"),
        (
            {"before": {}, "after": {"circuit_breaker:stripe:state": "open"}},
            "did not see",
        ),
    ],
)
def test_a_plan_for_redis_of_somebody_elses(given: dict[str, Any], why: str) -> None:
    configured = settings(
        circuit={"breakers": [BREAKER], "caches": {"cache": "cache:*"}},
        redis={"url": "redis://127.0.0.1:1/0"},
    )
    table = "cache" if given.get("remedy") == CLEAR else "stripe"
    change = Change(
        **{"id": "c", "remedy": "circuit.trip", "table": table, "key": {"key": "k"}, **given},
        statement="",
        why="",
    )
    target = Target("redis", "test", "db 0", "redis:1")
    forged = signed(Plan("payops test", NOW, 3600, target, (change,), Caps(1)))
    with pytest.raises(RefusedError, match=why):
        check_redis(forged, configured, "redis:1", "db 0")
