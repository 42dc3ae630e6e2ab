"""Stripe answers the next requests for payouts with 429: the account is at its limit.

`rate_limit_error`, 'too many requests' in busy periods (runbook 000, common error codes): a batch
or a loop takes the requests that the payments need.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

# Two, and the third is answered: a client that backs off gets through.
LIMITED = {"kind": "429", "times": 2, "match": {"path": "/v1/payouts"}}


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(limited=True)
    lab.stripe.post("/faults", [LIMITED])


def heal(lab: Lab) -> None:
    if not lab.recall().get("limited"):
        return
    kept = [
        {name: value for name, value in fault.items() if name not in ("seen", "hits")}
        for fault in lab.stripe.get("/state")["faults"]
        if any(fault.get(name) != value for name, value in LIMITED.items())
    ]
    lab.stripe.put("/faults", kept)


SCENARIO = Scenario(
    title="The account is at Stripe's request limit",
    runbook="000, common error codes",
    breaks="the next two requests for payouts are answered 429",
    expected={"stripe.request-budget": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    outside="stop what takes the requests: a batch, a loop",
)
