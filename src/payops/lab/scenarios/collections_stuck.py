"""Two collections have been processing for three hours; nobody knows whether money moved.

Runbook 003, commission collection failures: processing for more than two hours is stuck.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.outsidefaults import (
    COLLECTIONS,
    change,
    first_collections,
    label,
    put_rows_right,
)
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    began = datetime.now(UTC).replace(tzinfo=None) - timedelta(
        hours=parameters["hours"]
    )  # no zone, UTC
    status = label(lab, COLLECTIONS, "processing")
    values = {"status": status, "created_at": began, "collected_at": None}
    change(lab, COLLECTIONS, first_collections(lab, parameters["count"]), values)


SCENARIO = Scenario(
    title="Collections are stuck",
    runbook="003, commission collection failures",
    breaks="two collections are processing for three hours",
    expected={"external.stuck-collections": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"collections"}),
    parameters={
        "count": Parameter(2, 1, 50, "how many collections"),
        "hours": Parameter(3, 3, 720, "for how long; 2 h are allowed"),
    },
    mild={"count": 1},
    severe={"count": 8, "hours": 30},
    outside="ask the bank or processor what became of them, and say so in the application",
)
