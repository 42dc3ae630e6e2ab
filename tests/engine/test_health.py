"""The report of `payops health`."""

from __future__ import annotations

import time

import pytest

from payops.checks import check_ids
from payops.domain.deadline import Deadline
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.health import examine
from payops.errors import ConfigError
from tools import NOW, before, settings

WINDOW = Window(before(hours=1), NOW)


def test_without_any_source_everything_is_skipped_and_that_is_unknown() -> None:
    configured = settings(environment="lab")
    report = examine(configured, check_ids(), window=WINDOW, deadline=Deadline.after(5))
    assert [result.id for result in report.checks] == list(check_ids())
    assert {result.status for result in report.checks} == {Status.SKIP}
    assert report.status is Status.UNKNOWN
    assert (report.command, report.environment, report.stripe_calls) == ("health", "lab", 0)


def test_one_dead_dependency_is_crit_and_the_others_are_told() -> None:
    configured = settings(redis={"url": "redis://127.0.0.1:1"})
    started = time.monotonic()
    report = examine(configured, check_ids(), window=WINDOW, deadline=Deadline.after(5))
    assert time.monotonic() - started < 5
    by_id = {result.id: result for result in report.checks}
    assert by_id["redis.connect"].status is Status.CRIT
    assert by_id["postgres.connect"].status is Status.SKIP
    assert report.status is Status.CRIT


def test_thresholds_that_fit_no_check_are_refused_before_anything_is_asked() -> None:
    configured = settings(thresholds={"stripe.api": {"speed": {"warn": 1}}})
    with pytest.raises(ConfigError, match="no limit 'speed'"):
        examine(configured, ["stripe.api"], window=WINDOW, deadline=Deadline.after(5))
