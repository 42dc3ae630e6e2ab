"""What share of all payments failed by our fault, and why?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from payops.checks.ledger import tally
from payops.checks.payments.failure_rate import _LEADS, CHECK, LATELY, REASONS, Facts
from payops.domain.result import CheckResult
from payops.domain.window import Window
from payops.sources.ledger import Outcome, Outcomes
from tools import (
    LEDGER,
    NOW,
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


def rate(fine: int, ours: int, **overrides: Any) -> CheckResult:
    rows = [outcome("succeeded", fine)] if fine else []
    rows += [outcome("failed", ours, "api_error")] if ours else []
    return judged(CHECK, facts(*rows), **overrides)


@pytest.mark.parametrize(
    ("fine", "ours", "status", "shown"),
    [
        (100, 0, "OK", "none of 100 payments failed by our fault in the last hour"),
        (9801, 199, "OK", "(2 %)"),  # rounded up
        (98, 2, "OK", "(2 %)"),  # equal is inside: 'more than 2 %'
        (9799, 201, "WARN", "(2.1 %)"),
        (90, 10, "WARN", "(10 %)"),
        (8999, 1001, "CRIT", "(10.1 %)"),
        (0, 10, "CRIT", "10 of 10 payments failed by our fault in the last hour (100 %)"),
        (99_999, 1, "OK", "1 of 100,000 payments failed by our fault in the last hour (0.1 %)"),
    ],
)
def test_around_each_limit(fine: int, ours: int, status: str, shown: str) -> None:
    assert_is(status, rate(fine, ours), shown)


@pytest.mark.parametrize(
    ("fine", "ours", "overrides", "status"),
    [
        (80, 20, {"rate": {"warn": 20, "crit": 30}}, "OK"),
        (79, 21, {"rate": {"warn": "20%", "crit": "30 %"}}, "WARN"),
        (0, 10, {"rate": {"crit": None}}, "WARN"),
        (0, 10, {"rate": {"warn": None, "crit": None}}, "OK"),
        (1, 1, {"sample": {"warn": None}}, "CRIT"),
        (8, 2, {"sample": {"warn": 50}}, "WARN"),
    ],
)
def test_limits_of_the_configuration(
    fine: int, ours: int, overrides: dict[str, Any], status: str
) -> None:
    assert_is(status, rate(fine, ours, **overrides))


def test_too_few_are_at_most_a_warning() -> None:
    assert_warn(rate(0, 1), "1 of 1 payment failed", "too few to be sure")
    assert_warn(rate(3, 1), "1 of 4 payments", "too few to be sure")
    assert_is("CRIT", rate(4, 1))
    assert_ok(rate(1, 0), "none of 1 payment failed")


@pytest.mark.parametrize(
    ("fine", "ours", "overrides", "status", "word"),
    [
        (27, 3, {}, "OK", ""),  # equal is inside
        (26, 3, {}, "CRIT", "; 3 of 29 (10.4 %) in the last 5 min"),
        (2, 3, {}, "CRIT", "3 of 5 (60 %) in the last 5 min"),
        (1, 3, {}, "OK", ""),  # four are too few
        (10, 2, {}, "OK", ""),  # one or two are singular
        (26, 3, {"lately": {"crit": 20}}, "OK", ""),
        (26, 3, {"lately": {"warn": 5, "crit": 20}}, "WARN", "in the last 5 min"),
        (0, 0, {}, "OK", ""),
    ],
)
def test_what_began_just_now_is_not_thinned_out(
    fine: int, ours: int, overrides: dict[str, Any], status: str, word: str
) -> None:
    hour = facts(outcome("succeeded", 990 + fine), outcome("failed", ours, "api_error"))
    newest = facts(outcome("succeeded", fine), outcome("failed", ours, "api_error"))
    result = judged(CHECK, replace(hour, lately=newest.tally), **overrides)
    assert_is(status, result, word)
    assert ("5 min" in result.summary) is (status != "OK")
    shown = round(100 * ours / (fine + ours), 2) if fine + ours else None
    assert result.measured["lately"] == shown


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        ([], "OK", ["no payment was attempted in the last hour: nothing to judge"]),
        (
            [outcome("failed", 40, "lost_card")],
            "OK",
            ["none of 40 payments failed by our fault", "40 declined by the issuer"],
        ),
        ([outcome("pending", 3)], "OK", ["none of 3 payments"]),
        ([outcome(None, 5, raw="?")], "WARN", ["5 have a status that is not mapped: '?'"]),
        (
            [outcome("succeeded", 100), outcome(None, 5, raw="?")],
            "OK",  # success-rate warns of them; this one names them
            ["none of 100", "5 have a status that is not mapped"],
        ),
    ],
)
def test_windows_without_a_failure(rows: list[Outcome], status: str, words: list[str]) -> None:
    result = judged(CHECK, facts(*rows))
    assert_is(status, result, *words)
    assert result.since is None


def test_reasons_are_told_most_frequent_first_with_a_next_command() -> None:
    result = judged(
        CHECK,
        facts(
            outcome("succeeded", 50),
            outcome("failed", 2, None),
            outcome("failed", 7, "circuit_open", first=NOW - timedelta(minutes=12)),
            outcome("failed", 1, "circuit_open", currency="jpy", minor=9),
            outcome("failed", 1, "", inexact=1),
            outcome("failed", 5, "card_declined"),
        ),
    )
    assert_is("CRIT", result, "11 of 66", "most by circuit_open", "5 declined by the issuer")
    assert [e.what for e in result.evidence] == [
        "8 by circuit_open",
        "3 by no reason recorded",
        "1 of them without a usable amount: in no sum",
    ]
    assert_money(result, "90.00 USD (10)", "9 JPY (1)")
    assert result.since == NOW - timedelta(minutes=12)
    assert [a.command for a in result.actions] == ["payops health --only circuit.state"]


def test_no_usable_amount_is_not_nothing_at_risk() -> None:
    result = judged(CHECK, facts(outcome("succeeded", 10), outcome("failed", 9, "x", inexact=9)))
    assert_money(result)
    assert "amount_unit" in result.actions[-1].text


@pytest.mark.parametrize("reason", [*_LEADS, "no_check_knows_it"])
def test_every_lead_can_be_followed(reason: str) -> None:
    result = judged(CHECK, facts(outcome("failed", 9, reason)))
    assert_is("CRIT", result, f"by {reason}")
    assert result.actions


def test_free_text_as_reason_stays_short() -> None:
    rows = [outcome("failed", 1, f"{i} \x1b[2J" + "y" * 9000) for i in range(500)]
    result = judged(CHECK, facts(*rows))
    assert_is("CRIT", result)
    assert len(result.evidence) == REASONS + 1
    assert result.evidence[-1].what == "490 by 490 other reasons"


def test_gather(postgres: Any) -> None:
    fake = postgres(NOW, [outcome("failed", 2, "timeout")])
    found = gathered(CHECK, fake_context(CONFIGURED, postgres=fake))
    assert found.tally.reasons == {"timeout": 2}
    assert found.lately == found.tally  # the fake gives the same for every window
    short = Window(NOW - LATELY, NOW)
    assert gathered(CHECK, fake_context(CONFIGURED, postgres=fake, window=short)).lately is None
