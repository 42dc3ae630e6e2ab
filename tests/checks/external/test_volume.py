"""`external.volume`: the platform's money beside the outside processors'."""

from __future__ import annotations

import pytest

from payops.checks.external.volume import CHECK, Facts
from payops.domain.external import OutsideSum
from payops.domain.money import Money
from payops.errors import NotConfiguredError
from tools import NOW, assert_is, assert_ok, assert_warn, fake_context, judged, settings


def took(count: int, minor: int, currency: str = "usd", *, inexact: int = 0) -> OutsideSum:
    return OutsideSum("square", currency, count, inexact, minor, 30, 150, 150)


PLATFORM = ((Money("usd", 5000), 3),)


@pytest.mark.parametrize(
    ("outside", "connected", "status"),
    [
        ((took(1, 100),), 2, "OK"),
        ((), 2, "WARN"),
        ((), 0, "OK"),
        ((took(1, 100, inexact=1),), 2, "WARN"),
    ],
)
def test_status(outside: tuple[OutsideSum, ...], connected: int, status: str) -> None:
    result = judged(CHECK, Facts(NOW, PLATFORM, outside, connected))
    assert_is(status, result)
    assert (result.actions == ()) is (status == "OK")


def test_totals_by_currency() -> None:
    outside = (took(2, 1999), took(1, 700, "jpy"), took(1, 1500, "kwd"))
    result = judged(CHECK, Facts(NOW, PLATFORM, outside, 1))
    assert_ok(result, "platform 50.00 USD", "19.99 USD", "700 JPY", "1.500 KWD", "4 transactions")
    assert result.evidence[0].detail == {"fees_minor": 30, "commission_minor": 150}


def test_nothing_at_all_is_said_so() -> None:
    assert_warn(
        judged(CHECK, Facts(NOW, (), (), 1)), "platform nothing, outside processors nothing"
    )


def test_not_used_here() -> None:
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings(external={})))
