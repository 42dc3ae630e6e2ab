"""Stripe no longer accepts the key: it was rolled in the Dashboard, and not in the application.

All payments fail with `authentication_error` ("Expired API Key provided") while Stripe itself and
its status page are well (runbook 002, scenario A; runbook 004, scenario 3). The key has to be
replaced wherever it is used.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_need_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import add_failures, remove_added


def inject(lab: Lab, parameters: Parameters) -> None:
    lab.remember(key_changed=True)
    lab.stripe.put("/keys", {"key": lab.info.secret_key, "revoked": True})
    add_failures(
        lab,
        minutes=parameters["minutes"],
        code=("authentication_error",),
        message="Expired API Key provided.",
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
    parameters={"minutes": Parameter(15, 2, 55, "since when the key is refused")},
    mild={"minutes": 4},
    severe={"minutes": 50},
    outside="put the key of Stripe's Dashboard that is good in place, wherever it is used",
)
