"""The bank sent a payout back: the account was closed, or its number is wrong.

The money is in the balance again, and Stripe makes no payout to that bank account until it is
corrected. Payments go on, so nobody notices (runbook 001, weekly report).
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
    created = int(time.time()) - 3_600
    tell_stripe(
        lab,
        [
            objects.payout(
                id=new_id("po", rng),
                amount=184_210,
                currency="usd",
                status="failed",
                created=created,
                arrival_date=created,
                livemode=livemode(lab),
                failure_code="account_closed",
                failure_message="The bank account has been closed",
            )
        ],
    )


SCENARIO = Scenario(
    title="A payout failed",
    runbook="001, weekly tasks",
    breaks="the bank refused the last payout, and Stripe makes no more to it",
    expected={"stripe.payouts": Status.WARN},
    inject=inject,
    heal=take_away,
    presets=EVERY_PRESET,
    outside="put the bank account right in Stripe's Dashboard",
)
