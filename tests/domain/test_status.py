"""Worst-of: no order, no SKIP, and nothing is UNKNOWN."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst

OK, WARN, CRIT, UNKNOWN, SKIP = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN, Status.SKIP
statuses = st.lists(st.sampled_from(Status), max_size=8)


@pytest.mark.parametrize(
    ("given_statuses", "expected", "exit_code"),
    [
        ([], UNKNOWN, 3),
        ([SKIP, SKIP], UNKNOWN, 3),
        ([OK, SKIP], OK, 0),
        ([OK, WARN], WARN, 1),
        ([WARN, UNKNOWN], UNKNOWN, 3),
        ([UNKNOWN, CRIT], CRIT, 2),
    ],
)
def test_worst(given_statuses: list[Status], expected: Status, exit_code: int) -> None:
    assert worst(given_statuses) is expected
    assert expected.exit_code == exit_code


@given(statuses, st.randoms())
def test_order_does_not_matter(some: list[Status], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert worst(shuffled) is worst(some)


@given(statuses)
def test_skip_is_neutral_and_repeating_changes_nothing(some: list[Status]) -> None:
    assert worst([*some, SKIP]) is worst(some)
    assert worst(some + some) is worst(some)


@given(statuses.filter(lambda s: set(s) - {SKIP}), statuses.filter(lambda s: set(s) - {SKIP}))
def test_worst_of_two_is_worst_of_their_worst(one: list[Status], other: list[Status]) -> None:
    assert worst(one + other) is worst([worst(one), worst(other)])


def report(*checks: tuple[Status, bool]) -> Report:
    results = tuple(CheckResult(status, "", advisory=advisory) for status, advisory in checks)
    return Report("health", datetime(2026, 2, 11, tzinfo=UTC), "test", results)


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], UNKNOWN),
        ([(OK, False), (CRIT, True)], OK),
        ([(SKIP, False), (WARN, True)], WARN),
        ([(CRIT, True), (OK, True)], CRIT),
        ([(SKIP, False), (SKIP, True)], UNKNOWN),
        ([(WARN, False), (OK, True)], WARN),
    ],
)
def test_advice_counts_only_when_it_is_alone(
    checks: list[tuple[Status, bool]], expected: Status
) -> None:
    assert report(*checks).status is expected
