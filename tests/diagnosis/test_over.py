"""Whether payments still fail, or the hour still tells of what was mended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payops.diagnosis.signals import signals_of
from payops.domain.evidence import Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status

NOW = datetime(2026, 2, 9, 3, 0, tzinfo=UTC)


def check(id_: str, status: Status, **measured: Scalar) -> CheckResult:
    return CheckResult(status, "told", id=id_, as_of=NOW, measured=measured)


BREAKER = check("circuit.state", Status.OK)
OPEN = check("circuit.state", Status.CRIT)
STRIPE = check("stripe.api", Status.OK)
LATE = check("stripe.latency", Status.WARN)
NOT_USED = check("circuit.state", Status.SKIP)


@pytest.mark.parametrize(
    ("lately", "leads", "others", "over"),
    [
        (0.0, None, (), True),  # those of the last five minutes were paid
        (0.0, "circuit.state", (OPEN,), True),
        (40.0, None, (), False),
        (None, None, (), False),  # none was tried since, and nobody knows why they failed
        (None, "stripe", (STRIPE,), True),
        (40.0, "stripe", (STRIPE,), False),
        (None, "stripe", (STRIPE, LATE), False),
        (None, "stripe", (), False),
        (40.0, "circuit.state", (BREAKER,), True),  # a closed breaker refuses nothing
        (40.0, "circuit.state", (OPEN,), False),
        (40.0, "circuit.state", (NOT_USED,), False),
        (40.0, "circuit.state,stripe", (BREAKER, STRIPE), False),
        (None, "circuit.state,stripe", (BREAKER, STRIPE), True),
    ],
)
def test_whether_it_is_over(
    lately: float | None, leads: str | None, others: tuple[CheckResult, ...], over: bool
) -> None:
    failing = check("payments.failure-rate", Status.CRIT, lately=lately, leads=leads)
    found = signals_of((failing, *others))
    assert found["payments.failure-rate"].measured["over"] is over
