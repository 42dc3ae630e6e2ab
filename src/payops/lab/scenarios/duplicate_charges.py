"""Orders were paid twice within a minute: a double click, and no idempotency key.

The customer sees two charges ("charged twice", runbook 002; runbook 004, duplicate charges). The
ledger has two rows of one order, and Stripe took both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.choosing import paid
from payops.lab.copying import add, copy_of, take_away
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario

APART = timedelta(seconds=20)


def inject(lab: Lab, parameters: Parameters) -> None:
    count = parameters["count"]
    first = datetime.now(UTC) - timedelta(minutes=50)
    made = []
    for number, row in enumerate(paid(lab, count, minutes=10_080)):
        at, order = first + number * timedelta(minutes=25) / count, f"order-twice-{number}"
        # Keys of other systems' orders lead to rows of their own: there it is the order of `row`.
        named = order if lab.system.name == "reference" else ""
        made += [
            copy_of(lab, row, 2 * number + second, at=at + second * APART, order=named)
            for second in (0, 1)
        ]
    add(lab, made)


SCENARIO = Scenario(
    title="Orders were paid twice",
    runbook="004, duplicate charges; 002, payment failed but money deducted",
    breaks="orders were paid twice within a minute, and Stripe took both",
    expected={"payments.duplicates": Status.WARN},
    classes=frozenset({"duplicate_charge"}),
    inject=inject,
    heal=take_away,
    own={
        "ireti-pos": {"own.paid-twice": Status.WARN, "own.metrics-behind": Status.WARN},
        "v-edfinance": {"own.paid-twice": Status.WARN},
        "bookedbarber": {"own.paid-twice": Status.WARN},
    },
    presets=EVERY_PRESET,
    parameters={"count": Parameter(2, 1, 40, "how many orders; more than 10 are CRIT")},
    mild={"count": 1},
    severe={"count": 12},
    differs={"severe": {"payments.duplicates": Status.CRIT}},
    outside="refund the second payment of each in Stripe's Dashboard, once the customer was asked",
)
