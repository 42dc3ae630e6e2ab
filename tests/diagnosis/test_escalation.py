"""How severe it is and whom to call, by the rows of the runbooks."""

from __future__ import annotations

import pytest

from looks import PAGES, check
from payops.diagnosis.escalation import escalation_of
from payops.diagnosis.impact import Compared, impact_of
from payops.diagnosis.rank import rank
from payops.diagnosis.signals import signals_of
from payops.domain.impact import Escalation, Level, Surroundings
from payops.domain.result import CheckResult
from payops.domain.status import Status
from tools import NOW, money

OK, WARN, CRIT = Status.OK, Status.WARN, Status.CRIT
COMPARED = check("reconcile.matched", count=9)
LEVELS = (Level("L2", "lead", 1800), Level("L1", "on call"), Level("L4", "legal", 7200))


def of(*checks: CheckResult, levels: tuple[Level, ...] = (), over: int = 1_000_000) -> Escalation:
    signals = signals_of(checks)
    verdict = rank([suspect for page in PAGES for suspect in page.suspects], signals)
    around = Surroundings(levels=levels, escalate_over={"usd": over})
    impact = impact_of(signals, Compared(), around, verdict, NOW)
    return escalation_of(impact, verdict, signals, around, NOW)


def breaker(minutes: float) -> tuple[CheckResult, ...]:
    """A cause of severity P1 that began so long ago."""
    return check("circuit.stripe", CRIT, minutes=minutes), check("stripe.api"), COMPARED


def outage(minutes: float) -> tuple[CheckResult, ...]:
    """A cause of severity P2 in which no payment succeeds."""
    return (
        check("stripe.api", CRIT, minutes=minutes),
        check("payments.success-rate", CRIT, minutes=minutes, paid=0, rate=0.0),
        COMPARED,
    )


def rows(found: Escalation) -> set[str]:
    return {one.row for one in found.reasons} - {""}


def test_nothing_is_wrong() -> None:
    assert of(COMPARED) == Escalation()


@pytest.mark.parametrize(
    ("checks", "severity", "answer_s"),
    [
        (breaker(1), "P1", 900),  # S0-66
        ((check("stripe.api", CRIT, minutes=1),), "P2", 3600),  # S0-67
        ((check("payments.failure-rate", WARN, minutes=1, failed=1),), "P2", 3600),
        ((check("postgres.vacuum", CRIT, minutes=1),), "P2", 3600),
        ((check("postgres.vacuum", WARN, minutes=1),), "P3", 4 * 3600),  # S0-68
    ],
)
def test_severity(checks: tuple[CheckResult, ...], severity: str, answer_s: float) -> None:
    found = of(*checks)
    assert (found.severity, found.answer_s) == (severity, answer_s)


def test_no_payment_for_more_than_an_hour_is_p1() -> None:
    assert of(*outage(59)).severity == "P2"
    found = of(*outage(61))
    assert found.severity == "P1"
    assert "S4-37" in rows(found)


@pytest.mark.parametrize(("minutes", "level"), [(9, 1), (11, 2), (31, 3), (300, 3)])
def test_the_level_by_time_where_nobody_is_configured(minutes: float, level: int) -> None:
    found = of(*breaker(minutes))
    assert found.level == level
    assert found.now == ()
    assert found.next is None


def test_more_than_10_000_affected_is_level_4() -> None:
    def lost(minor: int, currency: str = "usd") -> Escalation:
        sums = [money(currency, minor, 3)]
        failed = check("payments.failure-rate", CRIT, minutes=5, failed=3, money=sums)
        return of(*breaker(5), failed, levels=LEVELS)

    assert lost(1_000_000).level == 1
    found = lost(1_000_001)
    assert found.level == 4
    assert "S2-43" in rows(found)
    assert [one.contact for one in found.now] == ["on call", "lead", "legal"]
    assert lost(9_000_000, "jpy").level == 1, "of a currency without a limit"


def test_charged_and_not_recorded_is_level_3() -> None:
    found = of(*breaker(1), check("reconcile.missing_in_ledger", CRIT, count=1), levels=LEVELS)
    assert found.level == 3
    assert [one.contact for one in found.now] == ["on call", "lead"]


def test_failing_for_half_an_hour_is_level_2() -> None:
    failed = check("payments.failure-rate", CRIT, minutes=31, failed=9)
    assert of(*breaker(1), failed, levels=LEVELS[1:2]).level == 2


@pytest.mark.parametrize(
    ("minutes", "now", "following", "in_min"),
    [
        (10, ["L1"], "L2", 20),
        (31, ["L1", "L2"], "L4", 89),
        (121, ["L1", "L2", "L4"], None, None),
    ],
)
def test_whom_the_configuration_says_to_call(
    minutes: float, now: list[str], following: str | None, in_min: float | None
) -> None:
    found = of(*breaker(minutes), levels=LEVELS)
    assert [one.level for one in found.now] == now
    assert (found.next.level if found.next else None) == following
    left = (found.next_at - NOW).total_seconds() / 60 if found.next_at else None
    assert left == in_min


def test_levels_may_have_names_of_their_own() -> None:
    levels = (Level("first line", "ann"), Level("second line", "bob", 3600))
    assert [one.contact for one in of(*breaker(1), levels=levels).now] == ["ann"]


def test_what_can_wait_wakes_nobody_higher() -> None:
    old = check("postgres.vacuum", WARN, minutes=600)
    assert of(old).level == 1
