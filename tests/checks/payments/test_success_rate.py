"""What share of the payments that could succeed did succeed?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.checks.ledger import tally
from payops.checks.payments.success_rate import CHECK, Facts
from payops.domain.result import CheckResult
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.ledger import Outcome, Outcomes
from tools import (
    LEDGER,
    NOW,
    Raises,
    assert_is,
    assert_money,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
    outcome,
    settings,
)

CONFIGURED = settings(postgres={"dsn": "x"}, ledgers={"payments": LEDGER})


def facts(*rows: Outcome, window_s: float = 3600) -> Facts:
    return Facts(NOW, window_s, tally(Outcomes(rows, NOW), CONFIGURED.ledgers["payments"]))


def rate(paid: int, ours: int, **overrides: Any) -> CheckResult:
    rows = [outcome("succeeded", paid)] if paid else []
    rows += [outcome("failed", ours, "api_error")] if ours else []
    return judged(CHECK, facts(*rows), **overrides)


@pytest.mark.parametrize(
    ("paid", "ours", "status", "shown"),
    [
        (100, 0, "OK", "100 %"),
        (9501, 499, "OK", "95 %"),
        (95, 5, "OK", "95 %"),  # equal is inside: 'below 95 %'
        (9499, 501, "WARN", "94.9 %"),
        (90, 10, "WARN", "90 %"),
        (8999, 1001, "CRIT", "89.9 %"),
        (0, 10, "CRIT", "0 %"),
        (99_999, 1, "OK", "99.9 %"),  # never 100 % while one failed
        (641, 359, "CRIT", "64.1 %"),  # 64.1 * 10 is 640.99… in floats
        (4, 1, "CRIT", "80 %"),  # five are enough to be sure
    ],
)
def test_around_each_limit(paid: int, ours: int, status: str, shown: str) -> None:
    assert_is(status, rate(paid, ours), f"{shown} of payments succeeded", "in the last hour")


@pytest.mark.parametrize(
    ("paid", "ours", "overrides", "status"),
    [
        (80, 20, {"rate": {"warn": 80, "crit": 70}}, "OK"),
        (79, 21, {"rate": {"warn": "80%", "crit": 70}}, "WARN"),
        (0, 10, {"rate": {"crit": None}}, "WARN"),
        (0, 10, {"rate": {"warn": None, "crit": None}}, "OK"),
        (80, 20, {"rate": {"warn": None}}, "CRIT"),
        (1, 1, {"sample": {"warn": None}}, "CRIT"),  # no sample is too small
        (8, 2, {"sample": {"warn": 50}}, "WARN"),
    ],
)
def test_limits_of_the_configuration(
    paid: int, ours: int, overrides: dict[str, Any], status: str
) -> None:
    assert_is(status, rate(paid, ours, **overrides))


def test_too_few_are_at_most_a_warning() -> None:
    assert_warn(rate(3, 1), "75 %", "(3 of 4)", "too few to be sure")
    assert_warn(rate(0, 1), "0 %", "(0 of 1)", "too few to be sure")
    assert "too few" not in rate(1, 0).summary
    assert "too few" not in rate(3, 2).summary


def test_declines_count_on_neither_side() -> None:
    result = judged(
        CHECK,
        facts(
            outcome("succeeded", 99),
            outcome("failed", 1, "timeout"),
            outcome("failed", 50, "insufficient_funds"),
            outcome("failed", 1, "CARD_DECLINED"),
            outcome("canceled", 10),
        ),
    )
    assert_ok(result, "99 %", "(99 of 100; 51 issuer declines left out)")
    assert (
        "1 issuer decline left out"
        in judged(
            CHECK, facts(outcome("succeeded", 9), outcome("failed", 1, "expired_card"))
        ).summary
    )


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        ([], "OK", ["no payment was attempted in the last hour: nothing to judge"]),
        (
            [outcome("pending")],
            "OK",
            ["no payment was paid or failed by our fault", "1 still open"],
        ),
        ([outcome("failed", 40, "do_not_honor")], "OK", ["40 declined by the issuer"]),
        (
            [outcome(None, 7, raw="ZAHLUNG_OK")],
            "WARN",
            ["7 have a status that is not mapped: 'ZAHLUNG_OK'"],
        ),
        (
            [outcome(None, 1, raw="x"), outcome("canceled", 2)],
            "WARN",
            ["2 still open or canceled", "1 has a status that is not mapped: 'x'"],
        ),
    ],
)
def test_a_window_in_which_nothing_was_decided(
    rows: list[Outcome], status: str, words: list[str]
) -> None:
    result = judged(CHECK, facts(*rows))
    assert_is(status, result, *words)
    assert result.measured["rate"] is None


def test_unmapped_statuses_are_named_where_they_matter() -> None:
    result = judged(CHECK, facts(outcome("succeeded", 100), outcome(None, 3, raw="DONE")))
    assert_warn(result, "100 %", "3 have a status that is not mapped: 'DONE'")
    assert [action.command for action in result.actions] == ["payops config check"]
    assert result.since is None
    both = judged(
        CHECK,
        facts(outcome("succeeded", 5), outcome("failed", 5, "x"), outcome(None, 3, raw="DONE")),
    )
    assert [action.command for action in both.actions] == [
        "payops health --only payments.failure-rate",
        "payops config check",
    ]


def test_hostile_text_and_many_words_stay_a_line() -> None:
    rows = [outcome(None, 1, raw=f"{i}" + "x" * 5000) for i in range(1000)]
    assert_warn(judged(CHECK, facts(*rows)), "995 more")


def test_money_time_and_next_command() -> None:
    result = judged(
        CHECK,
        facts(
            outcome("succeeded", 5),
            outcome("failed", 3, "timeout", minor=1999, first=NOW - timedelta(minutes=40)),
            outcome("failed", 1, None, minor=500, currency="jpy"),
            outcome("failed", 9, "expired_card", first=NOW - timedelta(minutes=55)),
        ),
    )
    assert_is("CRIT", result)
    assert_money(result, "59.97 USD (3)", "500 JPY (1)")
    assert result.since == NOW - timedelta(minutes=40)
    assert result.actions[0].command == "payops health --only payments.failure-rate"
    assert rate(99, 1).since is None, "no trouble, so it has not begun"


@pytest.mark.parametrize("minor", [0, -500])
def test_refunds_booked_as_negative_payments_do_not_crash(minor: int) -> None:
    assert_is("CRIT", judged(CHECK, facts(outcome("failed", 10, "x", minor=minor))))


@pytest.mark.parametrize("minutes", [0, 7, -7])
def test_the_window_is_by_the_databases_clock(minutes: int, postgres: Any) -> None:
    offset = timedelta(minutes=minutes)
    fake = postgres(NOW + offset, [outcome("succeeded", 3)])
    found = gathered(CHECK, fake_context(CONFIGURED, postgres=fake))
    assert fake.window.since == NOW - timedelta(hours=1) + offset
    assert fake.window.until == NOW + offset
    assert found.window_s == 3600
    assert found.as_of == NOW + offset
    assert found.tally.paid == 3


def test_the_ledgers_own_word_for_a_decline(postgres: Any) -> None:
    ledger = {**LEDGER, "issuer_declines": ["NO_CREDIT"]}
    fake = postgres(NOW, [outcome("failed", 2, "NO_CREDIT"), outcome("failed", 1, "no_idea")])
    configured = settings(postgres={"dsn": "x"}, ledgers={"payments": ledger})
    found = gathered(CHECK, fake_context(configured, postgres=fake))
    assert (found.tally.declined, found.tally.ours) == (2, 1)


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError, match=r"ledgers\.payments"):
        gathered(CHECK, fake_context(settings(postgres={"dsn": "x"})))
    with pytest.raises(NotConfiguredError, match="postgres"):
        gathered(CHECK, fake_context(CONFIGURED))
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(CONFIGURED, postgres=Raises(Failure.REFUSED)))
