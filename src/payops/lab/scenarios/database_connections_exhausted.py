"""The database takes no more connections: a pool leaks, and holds all that there are.

Every new checkout fails with "remaining connection slots are reserved", while the database itself
is well (runbooks 000 and 003: count the connections against the pool). payops gets in by a slot
that is reserved for it, and says who holds the others.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.holding import Held, free_slots, hold, release
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    hold(lab, [Held("checkout")] * free_slots(lab), all_slots=True)


def heal(lab: Lab) -> None:
    release(lab)


SCENARIO = Scenario(
    title="The database has no connection left",
    runbook="000, Database Connection Issues; 003",
    breaks="an application named checkout holds every connection that is not reserved",
    expected={"postgres.connections": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    outside="restart the application named checkout, which holds the connections",
)
