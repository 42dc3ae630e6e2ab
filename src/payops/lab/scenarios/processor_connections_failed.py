"""A barber's own processor refuses what it is sent: the connection is in error.

Runbook 003, external processor connection issues: whatever is not connected is an issue.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.outsidefaults import CONNECTIONS, change, connections, label, put_rows_right
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    change(
        lab,
        CONNECTIONS,
        connections(lab, parameters["count"]),
        {
            "status": label(lab, CONNECTIONS, "error"),
            "error_count": 7,
            "last_error": "401 UNAUTHORIZED: the access token was revoked",
        },
    )


SCENARIO = Scenario(
    title="A connection to an outside processor fails",
    runbook="003, external processor connection issues",
    breaks="one barber's connection is in error since its token was revoked",
    expected={"external.connections": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"connections"}),
    parameters={"count": Parameter(1, 1, 3, "how many connections; all three are CRIT")},
    severe={"count": 3},
    # Who is paid by outside processors alone cannot be paid then.
    differs={
        "severe": {
            "external.connections": Status.CRIT,
            "external.configuration": Status.WARN,
        }
    },
    # payops sets it back to pending, and nothing but the barber's consent makes it connected.
    outside="have the barber connect the processor again",
)
