"""Whatever was answered, a result is no larger than a report holds, and says what it left out."""

from __future__ import annotations

import pytest

from payops.checks.sized import LONGEST, MOST_CURRENCIES, MOST_EVIDENCE, sized
from payops.domain.evidence import Action, Evidence
from payops.domain.money import MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.secret import Secret
from payops.domain.status import Status
from tools import NOW

SMALL = CheckResult(
    Status.CRIT,
    "all is lost",
    measured={"count": 3, "who": "x" * LONGEST},
    evidence=(Evidence("row", "postgres", NOW, {"id": "a", "n": None}),) * MOST_EVIDENCE,
    actions=(Action("look", "payops health"),),
    money_at_risk=tuple(MoneyAtRisk(f"c{n}", n, 1) for n in range(MOST_CURRENCIES)),
)


def test_what_is_of_the_usual_size_stays_as_it_is() -> None:
    assert sized(SMALL) == SMALL


def test_a_currency_a_row_is_counted_and_left_out() -> None:
    made_up = tuple(MoneyAtRisk(f"c{n}", n, 1) for n in range(100_000))
    result = sized(CheckResult(Status.CRIT, "all is lost", money_at_risk=made_up))
    assert result.money_at_risk == made_up[:MOST_CURRENCIES]
    assert result.summary == "all is lost; the money of 99,940 more currencies is left out"
    assert result.status is Status.CRIT


def test_evidence_without_end() -> None:
    result = sized(CheckResult(Status.WARN, "x", evidence=(Evidence("e", "redis", NOW),) * 5_000))
    assert len(result.evidence) == MOST_EVIDENCE
    assert result.summary == "x; 4,800 more were seen"


@pytest.mark.parametrize("place", ["summary", "what", "detail", "name", "measured", "action"])
def test_no_text_is_endless_and_none_is_cut_within_a_secret(place: str) -> None:
    Secret("correct-horse-battery")
    long = "x" * (LONGEST - 10) + "correct-horse-battery" + "x" * 1_000_000
    given = {
        "summary": CheckResult(Status.OK, long),
        "what": CheckResult(Status.OK, "", evidence=(Evidence(long, "a", NOW),)),
        "detail": CheckResult(Status.OK, "", evidence=(Evidence("", "a", NOW, {"a": long}),)),
        "name": CheckResult(Status.OK, "", evidence=(Evidence("", "a", NOW, {long: 1}),)),
        "measured": CheckResult(Status.OK, "", measured={"a": long}),
        "action": CheckResult(Status.OK, "", actions=(Action(long),)),
    }[place]
    shown = repr(sized(given))
    assert LONGEST - 20 < len(shown) < LONGEST + 1_000
    assert "correct" not in shown


def test_a_command_is_whole_or_none() -> None:
    (action,) = sized(CheckResult(Status.OK, "", actions=(Action("a", "rm " * 1_000),))).actions
    assert action == Action("a")


def test_a_currency_is_a_short_word() -> None:
    (money,) = sized(
        CheckResult(Status.OK, "", money_at_risk=(MoneyAtRisk("u" * 100_000, 1, 2),))
    ).money_at_risk
    assert (len(money.currency), money.minor, money.count) == (16, 1, 2)
