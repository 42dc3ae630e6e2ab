"""A gateway on the way to Stripe lets nobody read the account, and lets all else through.

Its list of allowed paths is older than what is asked. Payments go on by paths that are on it; the
next one that is new will be refused as well (runbook 001, morning check: `GET /v1/account`).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

FAULT = {"kind": "status", "status": 403, "match": {"operation": "GET /v1/account"}}


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(forbidden=True)
    lab.stripe.post("/faults", [FAULT])


def heal(lab: Lab) -> None:
    if not lab.recall().get("forbidden"):
        return
    kept = [
        {name: value for name, value in fault.items() if name not in ("seen", "hits")}
        for fault in lab.stripe.get("/state")["faults"]
        if any(fault.get(name) != value for name, value in FAULT.items())
    ]
    lab.stripe.put("/faults", kept)


SCENARIO = Scenario(
    title="Reading the account is forbidden",
    runbook="001, morning check; 004, step 6",
    breaks="reading the account at Stripe is answered 403, and nothing else is",
    expected={"stripe.api": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    outside="give the key back its account, in Stripe's Dashboard",
)
