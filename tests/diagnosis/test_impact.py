"""Whom an incident hurts, by tables: no payment twice, whatever tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from looks import INCIDENT, PAGES, check, discrepancy, look
from payops.diagnosis.impact import Compared, added, impact_of, less
from payops.diagnosis.rank import Verdict, rank
from payops.diagnosis.signals import signals_of
from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.impact import Failing, Impact, Surroundings, Trend
from payops.domain.money import MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.status import Status
from tools import NOW, before, money

OK, WARN, CRIT, UNKNOWN = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN
WORDS = Surroundings(open_words=("pending",), failed_words=("failed",))
COMPARED = check("reconcile.matched", count=9)
FAILED = check("payments.failure-rate", CRIT, minutes=20, failed=5, money=[money("usd", 5000, 5)])
STUCK = check("payments.stuck-pending", CRIT, minutes=90, count=4, money=[money("usd", 4000, 4)])


def of(
    *checks: CheckResult,
    discrepancies: Sequence[dict[str, Any]] = (),
    left_out: int = 0,
    around: Surroundings = WORDS,
) -> Impact:
    signals = signals_of(checks)
    verdict = rank([suspect for page in PAGES for suspect in page.suspects], signals)
    return impact_of(signals, Compared(discrepancies, left_out), around, verdict, NOW)


def mismatch(count: int) -> CheckResult:
    sums = [money("usd", 1000 * count, count)]
    return check("reconcile.status_mismatch", CRIT, minutes=60, count=count, money=sums)


def test_every_class_that_is_trouble_has_words() -> None:
    harmful = [one for one in MatchClass if one not in HARMLESS]
    for one in harmful:
        (part,) = of(COMPARED, check(f"reconcile.{one.value}", WARN, count=1)).parts
        assert part.what


def test_nothing_is_wrong() -> None:
    assert of(COMPARED, check("payments.failure-rate", failed=0)) == Impact()


def test_what_fails_and_what_differs_is_added() -> None:
    found = of(COMPARED, FAILED, mismatch(3))
    assert found.payments == 8
    assert [str(one) for one in found.money] == ["80.00 USD (8)"]
    assert {part.check: part.payments for part in found.parts} == {
        "reconcile.status_mismatch": 3,
        "payments.failure-rate": 5,
    }


def test_stuck_ones_that_the_comparison_knows_are_not_counted_again() -> None:
    known = [discrepancy("status_mismatch", "pending"), discrepancy("status_mismatch", "pending")]
    found = of(COMPARED, STUCK, mismatch(2), discrepancies=known)
    assert found.payments == 4
    assert [str(one) for one in found.money] == ["40.00 USD (4)"]


def test_a_young_one_is_not_among_the_stuck() -> None:
    young = [discrepancy("status_mismatch", "pending", minutes=20)]
    assert of(COMPARED, STUCK, mismatch(1), discrepancies=young).payments == 5


def test_of_a_long_list_all_that_differ_are_taken_to_be_stuck() -> None:
    known = [discrepancy("status_mismatch", "pending")]
    assert of(COMPARED, STUCK, mismatch(3), discrepancies=known, left_out=2).payments == 4


def test_failures_that_stripe_has_paid_are_not_counted_again() -> None:
    known = [discrepancy("status_mismatch", "FAILED")]
    assert of(COMPARED, FAILED, mismatch(1), discrepancies=known).payments == 5


def test_a_refund_that_is_not_recorded_is_of_a_payment_too() -> None:
    one = check("reconcile.refund_missing", WARN, count=2, money=[money("usd", 900, 2)])
    assert of(COMPARED, one).payments == 2


LOST = check("webhooks.endpoint-unreachable", CRIT, count=57, money=[money("usd", 1900, 19)])
BACKLOG = check("webhooks.backlog", CRIT, count=82, money=[money("usd", 2400, 24)])


def test_what_webhooks_tell_counts_only_where_both_sides_were_not_compared() -> None:
    assert of(COMPARED, mismatch(2), LOST).payments == 2
    alone = of(check("reconcile.stripe", CRIT, failure="timed_out"), LOST)
    assert alone.payments == 57
    assert "not compared" in alone.notes[0]


def test_of_several_that_tell_of_the_same_the_one_with_most() -> None:
    found = of(check("reconcile.stripe", CRIT), LOST, BACKLOG)
    assert [part.check for part in found.parts] == ["webhooks.backlog"]


@pytest.mark.parametrize("id_", ["payments.duplicates", "payments.no-reference"])
def test_the_ledger_alone(id_: str) -> None:
    assert of(check("reconcile.stripe", CRIT), check(id_, CRIT, count=3)).payments == 3
    assert of(COMPARED, check(id_, CRIT, count=3)).payments == 0


def test_outside_processors_are_counted_once() -> None:
    sums = [money("eur", 100, 7)]
    found = of(
        COMPARED,
        check("external.collections", CRIT, count=7, money=sums),
        check("external.failed-collections", CRIT, count=5, money=sums),
    )
    assert (found.payments, len(found.parts)) == (7, 1)


def test_what_banks_decline_is_not_ours() -> None:
    assert of(COMPARED, check("payments.declines", CRIT, declined=40, rate=80.0)).payments == 0


def test_two_failures_that_are_no_alarm_count_where_a_cause_has_them_as_its_symptom() -> None:
    few = check("payments.failure-rate", OK, failed=2, money=[money("usd", 200, 2)])
    assert of(COMPARED, few).payments == 0
    open_ = check("circuit.stripe", CRIT, minutes=5)
    assert of(COMPARED, few, open_, check("stripe.api")).payments == 2


def test_without_a_verdict_all_count() -> None:
    few = check("payments.failure-rate", OK, failed=2, money=[money("usd", 200, 2)])
    assert impact_of(signals_of([few]), Compared(), WORDS).payments == 2


def test_what_nobody_could_be_asked_is_not_known() -> None:
    down = check("payments.failure-rate", CRIT, failure="refused")
    assert not of(down, check("reconcile.postgres", CRIT, failure="refused")).known
    assert of(FAILED).known


def test_advice_is_no_incident() -> None:
    assert of(COMPARED, check("payments.captures", WARN, count=2, advisory=True)).payments == 0


def test_since_is_when_the_causes_own_signs_began() -> None:
    assert of(*INCIDENT).since == before(12 * 60)


def test_what_was_stuck_last_week_is_not_when_it_began() -> None:
    old = check("payments.failure-rate", CRIT, minutes=3 * 24 * 60, failed=1)
    found = of(check("circuit.stripe", CRIT, minutes=5), check("stripe.api"), old, COMPARED)
    assert found.since == before(5 * 60)


def test_customers_are_not_known_of_payments_without_a_row() -> None:
    def asked(customers: int | None) -> int | None:
        around = Surroundings(failing=Failing(customers=customers))
        return of(COMPARED, FAILED, around=around).customers

    assert (asked(4), asked(0), asked(None)) == (4, None, None)


def trend(
    earlier: int, later: int, newest_min: float = 0, *, cause: bool = False, lasts: float = 60
) -> Trend | None:
    """Of failures since an hour ago in its two halves."""
    failed = check("payments.failure-rate", CRIT, minutes=lasts, failed=earlier + later)
    checks = [COMPARED, failed]
    if cause:
        checks += [check("circuit.stripe", CRIT, minutes=lasts), check("stripe.api")]
    failing = Failing(earlier, later, NOW - timedelta(minutes=newest_min))
    return of(*checks, around=Surroundings(failing=failing)).trend


@pytest.mark.parametrize(
    ("earlier", "later", "newest", "cause", "expected"),
    [
        (10, 11, 1, False, Trend.STEADY),
        (10, 40, 1, False, Trend.WORSE),
        (40, 10, 1, False, Trend.BETTER),
        (1, 3, 1, False, Trend.STEADY),  # by chance
        (20, 0, 35, False, Trend.OVER),
        (20, 0, 35, True, Trend.BETTER),  # nobody pays at night, and the breaker is open still
        (0, 0, 0, False, None),
    ],
)
def test_trend(
    earlier: int, later: int, newest: float, cause: bool, expected: Trend | None
) -> None:
    assert trend(earlier, later, newest, cause=cause) is expected


def test_failures_and_losses_are_held_against_the_same_half() -> None:
    """A breaker that opened just now, after an hour of lost webhooks: neither is all of it."""
    middle = NOW - timedelta(minutes=30)
    known = [discrepancy("status_mismatch", "pending", minutes=40) for _ in range(9)]
    around = Surroundings(failing=Failing(0, 8, NOW, middle=middle))
    found = of(COMPARED, FAILED, mismatch(9), discrepancies=known, around=around)
    assert found.trend is Trend.STEADY


def test_a_minute_is_too_short_to_say_where_it_goes() -> None:
    assert trend(0, 9, lasts=1) is None


MONEY = st.builds(
    MoneyAtRisk, st.sampled_from(["usd", "eur", "jpy"]), st.integers(0, 10**9), st.integers(1, 99)
)


@given(st.lists(MONEY, max_size=8))
def test_what_is_added_is_neither_more_nor_less(parts: list[MoneyAtRisk]) -> None:
    for currency in {one.currency for one in parts}:
        mine = [one for one in parts if one.currency == currency]
        (total,) = [one for one in added(parts) if one.currency == currency]
        assert (total.minor, total.count) == (
            sum(one.minor for one in mine),
            sum(one.count for one in mine),
        )


@given(st.lists(MONEY, max_size=5), st.lists(MONEY, max_size=5))
def test_what_is_taken_away_leaves_nothing_below_nothing(
    all_: list[MoneyAtRisk], known: list[MoneyAtRisk]
) -> None:
    whole = added(all_)
    left = less(whole, known)
    assert all(one.minor >= 0 and one.count > 0 for one in left)
    assert sum(one.count for one in left) <= sum(one.count for one in whole)
    assert less(whole, []) == whole
    assert less(whole, whole) == ()


def test_a_verdict_of_nothing_has_no_beginning() -> None:
    assert impact_of({}, Compared(), Surroundings(), Verdict(), NOW).since is None


def test_the_incident_of_the_looks() -> None:
    seen = look(*INCIDENT)
    assert of(*seen.observation.checks).payments == 10
