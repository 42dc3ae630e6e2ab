"""A connection says that it is connected, and no payment came by it for 30 hours.

Runbook 003, external processor connection issues: inactive for more than 24 hours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.outsidefaults import CONNECTIONS, change, put_rows_right
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    began = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=30)  # no zone, UTC
    change(lab, CONNECTIONS, [1], {"last_transaction_at": began})


SCENARIO = Scenario(
    title="A connection is silent",
    runbook="003, external processor connection issues",
    breaks="one connected processor has had no transaction for 30 hours",
    expected={"external.silent": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"connections"}),
)
