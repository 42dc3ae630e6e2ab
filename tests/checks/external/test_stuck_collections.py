"""`external.stuck-collections`: any that is processing for too long."""

from __future__ import annotations

import pytest

from outside import owed, owed_row
from payops.checks.external.stuck_collections import CHECK, Facts
from payops.errors import NotConfiguredError
from tools import (
    NOW,
    assert_crit,
    assert_money,
    assert_ok,
    assert_warn,
    before,
    fake_context,
    judged,
    settings,
)


def test_none_is_ok() -> None:
    assert_ok(judged(CHECK, Facts(NOW, (), ())), "for more than 2 h")


def test_any_is_a_warning_with_its_money() -> None:
    rows = (owed_row(status="processing", minor=None),)
    result = judged(CHECK, Facts(NOW, (owed(2, "processing"),), rows))
    assert_warn(result, "2 collections processing for more than 2 h, the oldest for 3 h")
    assert_money(result, "10.00 USD (2)")
    assert result.since == before(hours=3)
    assert "an unreadable amount" in result.evidence[0].what
    assert "take it twice" in result.actions[0].text


def test_limits_can_be_moved() -> None:
    facts = Facts(NOW, (owed(2, "processing", hours=9),), ())
    assert_ok(judged(CHECK, facts, count={"warn": 2}))
    assert_crit(judged(CHECK, facts, age={"warn": "2h", "crit": "8h"}))
    assert_warn(judged(CHECK, facts, age={"warn": "2h", "crit": "9h"}))


def test_not_used_here() -> None:
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings(external={})))
