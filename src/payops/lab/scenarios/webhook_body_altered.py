"""A proxy changes the body of every delivery before the application sees it.

It reads the JSON and writes it anew, without blanks and in another order: the same event, other
bytes, so that no signature fits though every secret is right (runbook 000, webhook signature;
runbook 002, scenario B, raw body).
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
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    undelivered(lab, status=400, waiting=parameters["waiting"])
    break_webhook(lab, "altered")


SCENARIO = Scenario(
    title="Webhook signatures are refused: the body is altered",
    runbook="000, webhook signature; 002, scenario B",
    breaks="a proxy writes the JSON of each delivery anew before its signature is checked",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "ireti-pos", "v-edfinance"),
    causes=frozenset({"signature-refused"}),
    loses=True,
    holds=frozenset({"answer"}),
    parameters=LOST,
    mild=LOST_MILD,
    severe=LOST_SEVERE,
    differs=LOST_DIFFERS,
    varies=LOST_VARIES,
    outside="have the proxy pass the body of a delivery on as it came",
    mend=mend_webhook,
    # Only a probe signed with the endpoint's secret (`webhooks probe --signed`) sees that the
    # secret is right; a diagnosis sends none.
    told_as=frozenset({"webhook-signature-mismatch"}),
)
