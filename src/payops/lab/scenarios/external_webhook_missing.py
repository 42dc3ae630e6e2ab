"""A connection has no webhook address and no signing secret: its notices reach nobody.

Runbook 003, webhook delivery failures.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.outsidefaults import CONNECTIONS, change, put_rows_right
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    change(lab, CONNECTIONS, [2], {"webhook_url": None, "webhook_secret": None})


SCENARIO = Scenario(
    title="An outside processor has no webhook",
    runbook="003, webhook delivery failures",
    breaks="one connected processor has neither a webhook URL nor a signing secret",
    expected={"external.webhooks": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"connections"}),
    outside="give the connection its webhook's address and secret",
)
