"""Some of Stripe's operations take nearly three seconds.

Payments are slow with it, and time out where the application waits for less (runbook 004, 'Key
Metrics': payment latency, 'check Stripe API latency'). The status page says nothing yet.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

SLOW = tuple(
    {"kind": "latency", "ms": 2_700, "match": {"operation": operation}}
    for operation in ("GET /v1/balance", "GET /v1/payouts")
)


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(slow=True)
    lab.stripe.post("/faults", list(SLOW))


def heal(lab: Lab) -> None:
    if not lab.recall().get("slow"):
        return
    kept = [
        {name: value for name, value in fault.items() if name not in ("seen", "hits")}
        for fault in lab.stripe.get("/state")["faults"]
        if all(any(fault.get(name) != one[name] for name in one) for one in SLOW)
    ]
    lab.stripe.put("/faults", kept)


SCENARIO = Scenario(
    title="Stripe is slow",
    runbook="004, key metrics to monitor",
    breaks="reading the balance and the payouts takes 2.7 s",
    expected={"stripe.latency": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    outside="wait for Stripe; its status page tells",
)
