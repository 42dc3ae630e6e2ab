"""Does one customer pay unusually often?"""

from __future__ import annotations

import pytest

from payops.checks.payments.velocity import CHECK, Facts
from payops.errors import NotConfiguredError
from payops.sources.ledger_signs import Customer
from tools import LEDGER, NOW, assert_is, before, fake_context, gathered, judged, settings


@pytest.mark.parametrize(
    ("attempts", "hours", "status"),
    [
        (1, 1, "OK"),
        (10, 1, "OK"),
        (11, 1, "WARN"),
        (50, 1, "WARN"),
        (51, 1, "CRIT"),
        (11, 0.25, "WARN"),  # eleven at once are eleven in an hour
        (10, 0.25, "OK"),
        (240, 24, "OK"),
        (241, 24, "WARN"),
    ],
)
def test_around_each_limit(attempts: int, hours: float, status: str) -> None:
    quiet = Customer("cus_2", 1, 1, 0, before(minutes=9))
    busy = Customer("cus_1", attempts, 0, 0, before(minutes=5))
    result = judged(CHECK, Facts(NOW, hours * 3600, (quiet, busy)))
    assert_is(status, result, f"{attempts} tr")
    assert ("cus_1" in result.summary) == (status != "OK")
    assert len(result.evidence) == (status != "OK")


def test_nobody_paid_and_nobody_is_known() -> None:
    assert_is("OK", judged(CHECK, Facts(NOW, 3600, ())), "no customer paid")
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context(settings(ledgers={"payments": LEDGER})))
