"""The name of the webhook endpoint's host does not resolve.

A domain that ran out, a record that was removed: Stripe cannot deliver (runbook 000, DNS).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import exchange, put_right, quoted
from payops.lab.scenario import Lab, Parameters, Scenario

# .invalid never resolves (RFC 2606).
LOST = "https://hooks.shop.invalid/webhooks/stripe"


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    exchange(lab, quoted(lab.info.webhook_endpoint), quoted(LOST))


SCENARIO = Scenario(
    title="The webhook endpoint's name does not resolve",
    runbook="000, network and connectivity",
    breaks="the host of the configured endpoint has no address",
    expected={"app.dns": Status.CRIT},
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    outside="give the name its address again",
)
