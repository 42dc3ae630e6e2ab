"""Six collections failed yesterday.

Runbook 003, commission collection failures: more than five within seven days are an issue.
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
    began = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=20)  # no zone, UTC
    values = {
        "status": label(lab, COLLECTIONS, "failed"),
        "failed_at": began,
        "created_at": began,
        "collected_at": None,
        "failure_reason": "R01: insufficient funds",
        "retry_count": 3,
    }
    change(lab, COLLECTIONS, first_collections(lab, 6), values)


SCENARIO = Scenario(
    title="Collections fail",
    runbook="003, commission collection failures",
    breaks="six collections failed yesterday, for want of funds",
    expected={"external.failed-collections": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"collections"}),
    outside="find out why they failed, and collect again in the application",
)
