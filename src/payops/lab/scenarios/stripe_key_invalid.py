"""Stripe no longer accepts the key: it was rolled in the Dashboard, and not in the application.

All payments fail with `authentication_error` ("Expired API Key provided") while Stripe itself and
its status page are well (runbook 002, scenario A; runbook 004, scenario 3). The key has to be
replaced wherever it is used.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_need_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.shop import add_failures, remove_added

MINUTES = 15  # since when the key is refused


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(key_changed=True)
    lab.stripe.put("/keys", {"key": lab.info.secret_key, "revoked": True})
    add_failures(
        lab, minutes=MINUTES, code=("authentication_error",), message="Expired API Key provided."
    )


def heal(lab: Lab) -> None:
    if lab.recall().get("key_changed"):
        lab.stripe.put("/keys", {"key": lab.info.secret_key, "revoked": False})
    remove_added(lab)


SCENARIO = Scenario(
    title="Stripe refuses the API key",
    runbook="002, scenario A; 004, scenario 3",
    breaks="the secret key was revoked at Stripe",
    expected={
        **all_that_need_stripe(),
        "payments.success-rate": Status.CRIT,
        "payments.failure-rate": Status.CRIT,
        "payments.failing-customers": Status.CRIT,
    },
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    failures=True,
    silences="stripe",
)
