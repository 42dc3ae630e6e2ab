"""Nothing answers: Stripe is out of reach, and PostgreSQL and Redis are down.

A host, a rack or a network is gone (runbook 001, disaster recovery; runbook 003, emergency
response). Nobody can pay and nothing can be recorded; first the servers have to come back, then the
payments of the last minutes have to be reconciled.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_ask, all_that_need_stripe
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario
from payops.lab.stripefaults import lift, strike

REFUSED = {"kind": "refuse"}


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    strike(lab, REFUSED)
    lab.servers.postgres.stop()
    lab.servers.redis.stop()


def heal(lab: Lab) -> None:
    lab.servers.redis.start()
    lab.servers.postgres.start()
    lift(lab, REFUSED)


SCENARIO = Scenario(
    title="Everything is down",
    runbook="001, disaster recovery; 003, emergency response",
    breaks="PostgreSQL and Redis are stopped, and connections to Stripe are refused",
    expected={
        **all_that_ask("postgres"),
        **all_that_ask("redis"),
        **all_that_need_stripe(),
        "app.health": Status.CRIT,
    },
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=heal,
    stops=("postgres", "redis"),
    silences="stripe",
    presets=EVERY_PRESET,
    outside="bring the host and its network back: PostgreSQL, Redis, the way to Stripe",
)
