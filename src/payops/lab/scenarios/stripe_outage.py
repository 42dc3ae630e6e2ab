"""Stripe is down: its API answers 503, its status page says so, payments fail.

The person on call sees `PaymentProcessorDown`, `503` from the payment API, and workers that log
`APIConnectionError`; the breaker has just opened (runbook 004, scenario 1). Nothing is to be
repaired on our side: wait, tell the users, do not retry by hand.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_need_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import add_failures, open_breaker, remove_added, restore_breaker


def inject(lab: Lab, parameters: Parameters) -> None:
    state = lab.stripe.get("/state")
    lab.remember(status_page=state["status_page"])
    lab.stripe.put("/status", {"state": "down", "message": "Major outage: API requests fail."})
    lab.stripe.post("/faults", [{"kind": "status", "status": 503}])
    add_failures(
        lab,
        minutes=parameters["minutes"],
        code=("api_error", "api_connection_error"),
        message="Stripe did not answer.",
    )
    # 5 failures in 60 s open it (runbook 004); half-open is due 30 s after, so it is open still.
    open_breaker(lab, seconds_ago=5, failures=5)


def mend(lab: Lab) -> None:
    faults = lab.stripe.get("/state")["faults"]
    ours = {"kind": "status", "status": 503, "match": {}}
    kept = [
        {name: value for name, value in fault.items() if name not in ("seen", "hits")}
        for fault in faults
        if any(fault.get(name) != value for name, value in ours.items())
    ]
    lab.stripe.put("/faults", kept)
    page = lab.recall().get("status_page")
    if page:
        lab.stripe.put("/status", page)


def heal(lab: Lab) -> None:
    mend(lab)
    remove_added(lab)
    restore_breaker(lab)


SCENARIO = Scenario(
    title="Stripe is down",
    runbook="004, scenario 1",
    breaks="Stripe's API answers 503 and its status page reports a major outage",
    expected={
        **all_that_need_stripe(),
        "stripe.status-page": Status.CRIT,
        "circuit.state": Status.CRIT,
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
    changes=frozenset({"breaker", "status page"}),
    parameters={"minutes": Parameter(10, 2, 55, "since when payments fail")},
    mild={"minutes": 4},
    severe={"minutes": 50},
    outside="wait for Stripe: https://status.stripe.com tells",
    mend=mend,
)
