"""The application keeps transactions open while it waits for Stripe.

Each holds a connection, and the locks of what it wrote; under load both run out (runbook 002: a
timeout during the database's transaction). None of them waits for the database.
"""

from __future__ import annotations

import time

from payops.checks.postgres.idle_in_transaction import BETWEEN_STATEMENTS_S
from payops.domain.status import Status
from payops.lab.holding import Held, hold, release
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    hold(lab, [Held("checkout", ("BEGIN", "SELECT 1"))] * parameters["count"])
    # Longer than any pause between two statements is.
    time.sleep(BETWEEN_STATEMENTS_S + 0.1)


def heal(lab: Lab) -> None:
    release(lab)


SCENARIO = Scenario(
    title="Transactions are held open",
    runbook="002, a timeout during the transaction; 000",
    breaks="an application named checkout has begun transactions and does nothing in them",
    expected={"postgres.idle-in-transaction": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    parameters={"count": Parameter(8, 1, 25, "transactions; more than 5 are WARN, than 20 CRIT")},
    severe={"count": 24},
    differs={"severe": {"postgres.idle-in-transaction": Status.CRIT}},
    outside="restart the application named checkout",
)
