"""What a watch has seen: changes, numbers over time, time under each status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.session import Curve, Session
from payops.domain.status import Status

BEGAN = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)


def a_round(number: int, **statuses: Status) -> Report:
    at = BEGAN + timedelta(seconds=30 * number)
    checks = tuple(CheckResult(status, "said", id=id_) for id_, status in statuses.items())
    return Report("health", at, "production", checks)


def watched(*reports: Report) -> Session:
    session = Session(BEGAN)
    for report in reports:
        session, _ = session.after(report)
    return session


def test_what_was_wrong_at_the_start_and_what_changed_since() -> None:
    session = watched(
        a_round(0, a=Status.CRIT, b=Status.OK, c=Status.SKIP),
        a_round(1, a=Status.CRIT, b=Status.OK, c=Status.SKIP),
        a_round(2, a=Status.OK, b=Status.WARN, c=Status.SKIP, d=Status.OK),
    )
    assert [(one.id, one.before, one.after) for one in session.events] == [
        ("a", None, Status.CRIT),
        ("a", Status.CRIT, Status.OK),
        ("b", Status.OK, Status.WARN),
    ]
    assert session.rounds == 3
    assert session.spent == {Status.CRIT: 60.0}


@pytest.mark.parametrize(
    ("measured", "point"),
    [(98.5, 98.5), (0, 0.0), (True, None), ("98", None), (None, None), (float("nan"), None)],
)
def test_a_curve_has_a_point_a_round(measured: object, point: float | None) -> None:
    check = CheckResult(Status.OK, "x", id="a", measured={"rate": measured})  # type: ignore[dict-item]
    curve = Curve("a", "rate", "success rate", "%")
    report = Report("health", BEGAN, "p", (check,))
    assert curve.after(report).points == (point,)
    assert curve.after(Report("health", BEGAN, "p", ())).points == (None,)


points = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=50)


@given(points, st.none() | st.floats(0, 100), st.none() | st.floats(0, 100), st.booleans())
def test_a_bar_is_never_below_nothing_nor_above_full(
    given: list[float | None], floor: float | None, top: float | None, lower: bool
) -> None:
    curve = Curve("a", "b", "c", "%", floor, top, lower, tuple(given))
    scaled, most = curve.scaled()
    known = [point for point in scaled if point is not None]
    if not floor:
        known = [point for point in known if point >= 0]
    assert all(0 <= point <= most + 1e-6 for point in known)
    assert curve.worst is None or curve.worst in given


@given(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=30))
def test_the_time_under_each_status_adds_up(statuses: list[Status]) -> None:
    session = watched(*(a_round(n, a=status) for n, status in enumerate(statuses)))
    assert sum(session.spent.values()) == 30 * (len(statuses) - 1)
    turns = sum(1 for a, b in pairwise(statuses) if a is not b)
    started_ill = statuses[0] not in (Status.OK, Status.SKIP)
    assert len(session.events) == turns + started_ill
