"""What a barber owes is collected from 5,000 on, and may be 1,000 at most: it is never due.

Runbook 003, payment routing failures: configurations that make no sense.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.outsidefaults import CONFIGURATIONS, change, put_rows_right
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    owners = list(range(2, 2 + parameters["count"]))
    change(lab, CONFIGURATIONS, owners, {"minimum_collection_amount": 5_000})


SCENARIO = Scenario(
    title="How an owner is paid makes no sense",
    runbook="003, payment routing failures",
    breaks="the least amount to collect is more than may be owed",
    expected={"external.configuration": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"configurations"}),
    parameters={"count": Parameter(1, 1, 3, "of how many barbers")},
    severe={"count": 3},
    outside="put these barbers' configuration right in the application",
)
