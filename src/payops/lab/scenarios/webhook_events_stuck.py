"""The worker that handles events is dead: they arrive, are written down, and stay there.

The endpoint answers 200 at once, so Stripe is content and sends nothing again; the rows in the log
stay `received`, with no attempt made, and paid orders pending (runbook 000, webhook processing;
runbook 004, scenario 5).
"""

from __future__ import annotations

from payops.lab.losing import (
    LOST,
    LOST_DIFFERS,
    LOST_MILD,
    LOST_SEVERE,
    STUCK,
    Fate,
    break_webhook,
    heal,
    lose,
    mend_webhook,
    recent,
)
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    lose(
        lab, recent(lab, waiting=parameters["waiting"]), Fate(logged=lab.system.waiting, seen=True)
    )
    break_webhook(lab, "stuck")


SCENARIO = Scenario(
    title="Events are received and nobody handles them",
    runbook="000, webhook processing; 004, scenario 5",
    breaks="the worker behind the webhook is dead: events stay as they were received",
    expected=STUCK,
    inject=inject,
    heal=heal,
    presets=("reference", "ireti-pos"),
    causes=frozenset({"received-not-processed"}),
    loses=True,
    holds=frozenset({"handler"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    outside="start the worker that handles events",
    mend=mend_webhook,
)
