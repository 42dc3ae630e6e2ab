"""Customers wait at their bank's page: 3-D Secure does not come back.

`authentication_required` is no incident by itself (runbooks 000 and 002: allow 5 to 10 minutes); a
dozen that wait for longer are a page that does not open.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.adding import add_payments, livemode, take_away, tell_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.stripe import objects
from payops.lab.stripe.objects import new_id


def inject(lab: Lab, parameters: Parameters) -> None:
    began = datetime.now(UTC) - timedelta(minutes=14)

    def waiting(number: int) -> dict[str, object]:
        return {
            "status": "requires_action",
            "created_at": began - timedelta(seconds=20 * number),
        }

    if lab.system.name == "reference":
        add_payments(lab, parameters["count"], waiting, minutes=20, stripe="requires_action")
        return
    # The others have no row of one that waits, or no word for it: Stripe alone knows.
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    currency = lab.system.style.currencies[0]
    tell_stripe(
        lab,
        [
            objects.payment_intent(
                id=new_id("pi", rng),
                amount=49_000 + number,
                currency=currency,
                status="requires_action",
                created=int(began.timestamp()) - 20 * number,
                livemode=livemode(lab),
            )
            for number in range(parameters["count"])
        ],
    )


SCENARIO = Scenario(
    title="3-D Secure holds payments up",
    runbook="000, authentication required",
    breaks="a dozen customers have waited at their bank's page for a quarter of an hour",
    expected={"payments.requires-action": Status.CRIT},
    inject=inject,
    heal=take_away,
    presets=EVERY_PRESET,
    parameters={"count": Parameter(12, 1, 50, "how many wait; more than 10 are system-wide")},
    mild={"count": 4},
    severe={"count": 40},
    differs={"mild": {"payments.requires-action": Status.WARN}},
    outside="have the bank's page open again: a content policy or a blocked frame",
)
