"""A card's issuer has reported a charge as fraud.

The dispute comes within days; a refund now forestalls it (runbook 001, fraud).
"""

from __future__ import annotations

import random
import time

from payops.domain.status import Status
from payops.lab.adding import livemode, take_away, tell_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.stripe.objects import new_id


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    tell_stripe(
        lab,
        [
            {
                "id": new_id("issfr", rng),
                "object": "radar.early_fraud_warning",
                "actionable": True,
                "charge": new_id("ch", rng),
                "created": int(time.time()) - 7_200,
                "fraud_type": "made_with_stolen_card",
                "livemode": livemode(lab),
            }
        ],
    )


SCENARIO = Scenario(
    title="An issuer reports fraud",
    runbook="001, fraud",
    breaks="Stripe has an early fraud warning of a charge that is not refunded yet",
    expected={"payments.fraud-warnings": Status.WARN},
    inject=inject,
    heal=take_away,
    presets=EVERY_PRESET,
    outside="refund these payments in Stripe's Dashboard",
)
