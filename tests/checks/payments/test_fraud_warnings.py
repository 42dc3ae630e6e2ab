"""Issuers report charges as fraud: each will be a dispute, unless it is refunded first."""

from __future__ import annotations

import pytest

from payops.checks.payments.fraud_warnings import CHECK, Facts, Warned
from payops.errors import Failure, NotConfiguredError
from stripe_answers import FakeStripe, listed
from tools import NOW, assert_is, assert_ok, assert_warn, before, fake_context, gathered, judged


@pytest.mark.parametrize(("count", "status"), [(0, "OK"), (1, "WARN"), (10, "WARN"), (11, "CRIT")])
def test_around_each_limit(count: int, status: str) -> None:
    warned = tuple(Warned(f"issfr_{n}", "ch_1", "", before(hours=n)) for n in range(count))
    result = judged(CHECK, Facts(NOW, warned, all=count))
    assert_is(status, result, "early fraud warning")
    assert bool(result.actions) == (status != "OK")
    assert result.since == (before(hours=count - 1) if count else None)


def test_gather_takes_those_that_can_be_acted_on() -> None:
    now = int(NOW.timestamp())
    page = listed(
        {"id": "issfr_1", "created": now - 60, "actionable": True, "charge": "ch_1"},
        {"id": "issfr_2", "created": now - 90, "actionable": False, "charge": {"id": "ch_2"}},
        {"id": "issfr_3", "created": now - 99, "actionable": True, "charge": {"id": "ch_3"}},
        more=True,
    )
    path = "/v1/radar/early_fraud_warnings"
    found = gathered(CHECK, fake_context(stripe=FakeStripe({path: page})))
    assert [(one.id, one.charge) for one in found.warnings] == [
        ("issfr_1", "ch_1"),
        ("issfr_3", "ch_3"),
    ]
    assert_warn(judged(CHECK, found), "2 or more early fraud warnings of 7 d")
    assert_ok(judged(CHECK, Facts(NOW, (), all=3)), "3 are past it")
    with pytest.raises(NotConfiguredError, match="Early fraud warnings: read"):
        gathered(CHECK, fake_context(stripe=FakeStripe({path: Failure.PERMISSION})))
