"""Stripe's status page speaks of trouble, and all that is asked of Stripe is answered well.

It is about a part of Stripe that this shop does not use, or about the past: what payops saw itself
comes first, so nothing is red by it (runbooks 002, step 2, and 004, step 1, look here first).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

MESSAGE = "Elevated latency in the Dashboard. Payments are not affected."


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(status_page=lab.stripe.get("/state")["status_page"])
    lab.stripe.put("/status", {"state": "degraded", "message": MESSAGE})


def heal(lab: Lab) -> None:
    page = lab.recall().get("status_page")
    if page:
        lab.stripe.put("/status", page)


SCENARIO = Scenario(
    title="Stripe's status page tells of trouble elsewhere",
    runbook="002, step 2; 004, step 1",
    breaks="Stripe's status page says that a part of Stripe is degraded, while its API is well",
    expected={"stripe.status-page": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"status page"}),
    outside="wait for Stripe: its status page tells",
)
