"""Authorized payments were never captured, and the authorization ends within hours.

The customers were told that they have paid; after 7 days the money is theirs again (runbook 002,
payments that Stripe's Dashboard shows otherwise).
"""

from __future__ import annotations

import random
import time

from payops.domain.status import Status
from payops.lab.adding import hear, livemode, take_away, tell_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.stripe import objects
from payops.lab.stripe.objects import StripeObject, new_id

AGE_S = int(6.5 * 86_400)


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    intents: list[StripeObject] = []
    events: list[StripeObject] = []
    for number in range(3):
        created = int(time.time()) - AGE_S - 60 * number
        intent = objects.payment_intent(
            id=new_id("pi", rng),
            amount=12_900 + 100 * number,
            currency="usd",
            status="requires_capture",
            created=created,
            livemode=livemode(lab),
            capture_method="manual",
        )
        event = objects.shape(
            "event",
            id=new_id("evt", rng),
            type="payment_intent.amount_capturable_updated",
            created=created,
            livemode=livemode(lab),
            data={"object": intent},
            pending_webhooks=0,
        )
        intents.append(intent)
        events.append(event)
    tell_stripe(lab, intents)
    hear(lab, events)


SCENARIO = Scenario(
    title="Authorizations run out",
    runbook="002, step 1",
    breaks="three authorized payments were not captured for six and a half days",
    expected={"payments.captures": Status.CRIT},
    inject=inject,
    heal=take_away,
    presets=EVERY_PRESET,
    outside="capture these payments, or cancel them, in Stripe's Dashboard",
)
