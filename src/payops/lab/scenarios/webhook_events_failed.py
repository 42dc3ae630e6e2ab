"""The handler of payments that succeed fails, each time, after the delivery was answered.

A release broke one handler in the worker: the endpoint has answered 200 when it fails, so Stripe
sends nothing again; the rows in the log are `failed` and say why. Events of other types are handled
as ever (runbook 000, webhook processing; runbook 001, webhook failures).
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
    types = [lab.system.success]
    lose(
        lab,
        recent(lab, types, waiting=parameters["waiting"]),
        Fate(logged=lab.system.broken, seen=True),
    )
    break_webhook(lab, "failed", types=types)


SCENARIO = Scenario(
    title="The handling of events fails",
    runbook="000, webhook processing; 001, webhook failures",
    breaks="the handler of payments that succeed fails in the worker, and the log says why",
    expected=STUCK,
    inject=inject,
    heal=heal,
    presets=("reference", "ireti-pos"),
    causes=frozenset({"received-not-processed"}),
    loses=True,
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    outside="put back the release whose handler worked",
    mend=mend_webhook,
)
