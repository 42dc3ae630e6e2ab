"""PostgreSQL does not answer: its process is gone.

No payment can be recorded, none can be looked up, and the application's health page fails
(runbooks 001 and 003: the database is what everything else hangs on). Its data is on disk and
comes back with it; payments that Stripe took meanwhile have to be reconciled.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_ask
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.servers.postgres.stop()


def heal(lab: Lab) -> None:
    lab.servers.postgres.start()


SCENARIO = Scenario(
    title="The database is down",
    runbook="001; 003",
    breaks="the PostgreSQL process is stopped",
    expected={**all_that_ask("postgres"), "app.health": Status.CRIT},
    inject=inject,
    heal=heal,
    stops=("postgres",),
    silences="postgres",
    presets=EVERY_PRESET,
    outside="restart PostgreSQL",
)
