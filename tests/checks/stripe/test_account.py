"""May the account take money, and be paid out?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.checks.stripe.account import CHECK, Facts
from payops.errors import Failure, NotConfiguredError
from stripe_answers import ACCOUNT, FakeStripe
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
)

DAY = 86400


def facts(**more: Any) -> Facts:
    return Facts(**({"as_of": NOW, "account": "acct_1", "charges": True, "payouts": True} | more))


def test_an_account_that_is_able() -> None:
    assert_ok(judged(CHECK, facts()), "account acct_1 can be charged and paid out")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"charges": False}, ["takes no charges", "every payment fails"]),
        ({"payouts": False}, ["payouts are disabled"]),
        ({"past_due": ("tos",)}, ["1 requirement (tos) is overdue"]),
        ({"past_due": ("a", "b")}, ["2 requirements (a, b) are overdue"]),
        ({"charges": False, "disabled_reason": "rejected.fraud"}, ["(rejected.fraud)"]),
    ],
)
def test_what_stripe_disabled(more: dict[str, Any], words: list[str]) -> None:
    result = judged(CHECK, facts(**more))
    assert_crit(result, *words)
    assert result.actions


@pytest.mark.parametrize(
    ("left_s", "status"),
    [
        (8 * DAY, "OK"),
        (7 * DAY, "OK"),
        (7 * DAY - 1, "WARN"),
        (DAY, "WARN"),
        (DAY - 1, "CRIT"),
        (-5, "CRIT"),
    ],
)
def test_around_the_deadline(left_s: float, status: str) -> None:
    deadline = NOW + timedelta(seconds=left_s)
    result = judged(CHECK, facts(due=("owner.ssn",), deadline=deadline))
    assert_is(status, result, "1 requirement (owner.ssn) is due")
    assert result.measured["left"] == left_s


def test_what_is_due_without_a_deadline() -> None:
    assert_warn(judged(CHECK, facts(due=tuple("abcdefg"))), "7 requirements (a, b, c, d, e and 2 ")


def test_an_account_that_does_not_say() -> None:
    assert_ok(judged(CHECK, facts(charges=None, payouts=None)), "has nothing disabled")


def test_gather_reads_what_is_required() -> None:
    wanted = {
        "currently_due": ["a", "b"],
        "past_due": ["a"],
        "current_deadline": int(NOW.timestamp()) + DAY,
        "disabled_reason": "requirements.past_due",
    }
    stripe = FakeStripe({"/v1/account": {**ACCOUNT, "requirements": wanted}})
    found = gathered(CHECK, fake_context(stripe=stripe))
    assert (found.past_due, found.due) == (("a",), ("b",))
    assert found.deadline == NOW + timedelta(days=1)
    assert_crit(judged(CHECK, found), "(requirements.past_due)")


def test_a_key_that_may_not_read_it_is_told_what_would() -> None:
    stripe = FakeStripe({"/v1/account": Failure.PERMISSION})
    with pytest.raises(NotConfiguredError, match="'Account: read'"):
        gathered(CHECK, fake_context(stripe=stripe))
