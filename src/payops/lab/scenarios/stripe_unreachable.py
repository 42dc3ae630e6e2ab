"""Stripe refuses our connections, and nobody else's: its status page is well.

A firewall rule, a proxy, an egress that lost its address: `APIConnectionError` on every payment
while Stripe's own page says that all systems work (runbook 004, scenario 1; runbook 000, network).
The breaker has just opened. It is our network that has to be put right.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_need_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import add_failures, open_breaker, remove_added, restore_breaker
from payops.lab.stripefaults import lift, strike

REFUSED = {"kind": "refuse"}


def inject(lab: Lab, parameters: Parameters) -> None:
    add_failures(
        lab,
        minutes=parameters["minutes"],
        code=("api_connection_error",),
        message="Could not connect to Stripe.",
    )
    # 5 failures in 60 s open it (runbook 004); half-open is due 30 s after, so it is open still.
    open_breaker(lab, seconds_ago=5, failures=5)
    strike(lab, REFUSED)


def mend(lab: Lab) -> None:
    lift(lab, REFUSED)


def heal(lab: Lab) -> None:
    mend(lab)
    remove_added(lab)
    restore_breaker(lab)


SCENARIO = Scenario(
    title="Stripe cannot be reached from here",
    runbook="004, scenario 1; 000, network and connectivity",
    breaks="connections to Stripe's API are refused, while its status page says that it is well",
    expected={
        **all_that_need_stripe(),
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
    changes=frozenset({"breaker"}),
    parameters={"minutes": Parameter(10, 2, 50, "since when payments fail")},
    mild={"minutes": 4},
    severe={"minutes": 45},
    outside="open the way to Stripe again: firewall, proxy, egress address",
    mend=mend,
)
