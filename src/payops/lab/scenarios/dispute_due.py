"""A dispute has to be answered within twelve hours, or it is lost.

It was opened a week ago and nobody saw it: most systems store disputes nowhere (runbook 001,
weekly tasks).
"""

from __future__ import annotations

import random
import time

from payops.domain.status import Status
from payops.lab.adding import livemode, take_away, tell_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.stripe import objects
from payops.lab.stripe.objects import new_id


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    now = int(time.time())
    tell_stripe(
        lab,
        [
            objects.dispute(
                id=new_id("dp", rng),
                amount=8_900,
                currency="usd",
                charge=new_id("ch", rng),
                payment_intent=new_id("pi", rng),
                created=now - 7 * 86_400,
                reason="product_not_received",
                status="needs_response",
                livemode=livemode(lab),
                due_by=now + 12 * 3_600,
            )
        ],
    )


SCENARIO = Scenario(
    title="A dispute is nearly lost",
    runbook="001, weekly tasks",
    breaks="a dispute has waited for evidence for a week, and is lost in twelve hours",
    expected={"payments.disputes": Status.CRIT},
    inject=inject,
    heal=take_away,
    presets=EVERY_PRESET,
    outside="answer the dispute in Stripe's Dashboard",
)
