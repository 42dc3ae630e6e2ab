"""Payments that succeed are answered with 200, and nothing is done.

The handler catches every error and says that all went well. Stripe is content and, with `logged=1`,
so is the event log, which says `processed`; with `logged=0` there is no row of it at all. Only the
ledger knows better: the orders are still pending (runbook 004, scenario 5).
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
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    types, logged = [lab.system.success], bool(parameters["logged"])
    lose(
        lab,
        recent(lab, types, waiting=parameters["waiting"]),
        Fate(logged={} if logged else None, seen=logged),
    )
    break_webhook(lab, "swallow_logged" if logged else "swallow", types=types)


SCENARIO = Scenario(
    title="Events are answered with 200 and not handled",
    runbook="004, scenario 5; 002, scenario B",
    breaks="the handler of payments that succeed swallows its errors: the ledger does not move",
    expected=STUCK,
    inject=inject,
    heal=heal,
    # DebtFlow completes its rows without that event.
    presets=("reference", "ireti-pos", "v-edfinance", "bookedbarber"),
    causes=frozenset({"answered-not-processed"}),
    loses=True,
    parameters={
        **LOST,
        "logged": Parameter(1, 0, 1, "1: the event log says processed; 0: it has no row"),
    },
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    outside="put back the release whose handler worked",
    mend=mend_webhook,
)
