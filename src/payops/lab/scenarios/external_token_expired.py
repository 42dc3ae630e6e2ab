"""A barber's authorization at an outside processor has expired, and its status says so.

Nothing failed yet; whatever is asked of the processor next will (runbook 003, external processor
connection issues: status `error` or `expired`).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.outsidefaults import CONNECTIONS, change, label, put_rows_right
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    change(lab, CONNECTIONS, [1], {"status": label(lab, CONNECTIONS, "expired")})


SCENARIO = Scenario(
    title="The token of a connection has expired",
    runbook="003, external processor connection issues",
    breaks="one barber's connection to an outside processor is expired",
    expected={"external.tokens": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"connections"}),
    outside="have the barber connect the processor again",
)
