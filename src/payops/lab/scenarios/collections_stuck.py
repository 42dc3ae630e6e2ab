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
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    began = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=3)  # no zone, UTC
    status = label(lab, COLLECTIONS, "processing")
    values = {"status": status, "created_at": began, "collected_at": None}
    change(lab, COLLECTIONS, first_collections(lab, 2), values)


SCENARIO = Scenario(
    title="Collections are stuck",
    runbook="003, commission collection failures",
    breaks="two collections are processing for three hours",
    expected={"external.stuck-collections": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"collections"}),
)
