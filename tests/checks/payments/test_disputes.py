"""Chargebacks: was one opened, and by when has it to be answered?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.checks.payments.disputes import CHECK, Facts, Opened
from payops.domain.money import Money
from stripe_answers import FakeStripe, listed
from tools import NOW, assert_is, assert_money, assert_ok, before, fake_context, gathered, judged

DAY = 86400


def dispute(left_s: float | None, days: float = 5) -> Opened:
    due = NOW + timedelta(seconds=left_s) if left_s is not None else None
    return Opened("dp_1", Money("usd", 800), "fraudulent", before(days=days), due)


@pytest.mark.parametrize(
    ("left_s", "status"),
    [
        (None, "OK"),
        (9 * DAY, "OK"),
        (2 * DAY, "OK"),
        (2 * DAY - 1, "WARN"),
        (DAY, "WARN"),
        (DAY - 1, "CRIT"),
        (1, "CRIT"),
        (0, "OK"),  # lost: nothing can be answered any more
        (-DAY, "OK"),
    ],
)
def test_around_the_deadline(left_s: float | None, status: str) -> None:
    result = judged(CHECK, Facts(NOW, (dispute(left_s),)))
    assert_is(status, result)
    assert bool(result.actions) == (status != "OK")
    assert_money(result, *(["8.00 USD (1)"] if left_s and left_s > 0 else []))


@pytest.mark.parametrize(
    ("count", "status"), [(10, "OK"), (11, "WARN"), (50, "WARN"), (51, "CRIT")]
)
def test_many_opened_in_a_day(count: int, status: str) -> None:
    old = dispute(None, days=2)
    facts = Facts(NOW, (*(dispute(None, days=0.5) for _ in range(count)), old))
    assert_is(status, judged(CHECK, facts), f"{count} opened in the last day")


def test_gather_tells_what_can_be_answered() -> None:
    now = int(NOW.timestamp())

    def of(number: int, status: str, **more: Any) -> dict[str, Any]:
        return {"id": f"dp_{number}", "amount": 5, "currency": "usd", "status": status,
                "created": now - DAY, "evidence_details": {"due_by": now + 99}, **more}  # fmt: skip

    page = listed(
        of(1, "needs_response"),
        of(2, "under_review"),
        of(3, "won"),
        of(4, "warning_needs_response"),
        of(5, "needs_response", evidence_details=None),
        more=True,
    )
    found = gathered(CHECK, fake_context(stripe=FakeStripe({"/v1/disputes": page})))
    assert [one.id for one in found.disputes if one.due] == ["dp_1", "dp_4"]
    assert_is("CRIT", judged(CHECK, found), "or more opened in the last day", "2 wait")
    assert_ok(judged(CHECK, Facts(NOW, ())), "0 opened")
