"""The webhook endpoint fails before it has written anything down.

A release broke the application's start of each request: 500 to every POST, signed or not, and no
row in the event log (runbook 001, webhook failures; runbook 002, scenario B).
"""

from __future__ import annotations

from payops.lab.losing import (
    LOST,
    LOST_DIFFERS,
    LOST_MILD,
    LOST_SEVERE,
    LOST_VARIES,
    STUCK_AND_OWED,
    break_webhook,
    heal,
    mend_webhook,
    undelivered,
)
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, status=500, waiting=parameters["waiting"])
    break_webhook(lab, "crash")


SCENARIO = Scenario(
    title="The webhook endpoint fails (5xx)",
    runbook="001, webhook failures; 002, scenario B",
    breaks="every delivery is answered 500, and nothing of it is written down",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"endpoint-fails"}),
    loses=True,
    holds=frozenset({"answer"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="put back the release whose endpoint worked",
    mend=mend_webhook,
)
