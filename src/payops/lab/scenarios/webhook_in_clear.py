"""Stripe is to deliver to an address over plain http.

In live mode Stripe refuses such an endpoint; in a sandbox everybody on the way reads the events
(runbook 001, security: HTTPS everywhere).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import exchange, put_right, quoted
from payops.lab.scenario import Lab, Parameters, Scenario

# Of a network that is for documentation only (RFC 5737): nobody is asked.
ELSEWHERE = "http://192.0.2.10/webhooks/stripe"


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    exchange(lab, quoted(lab.info.webhook_endpoint), quoted(ELSEWHERE))


SCENARIO = Scenario(
    title="The webhook endpoint is asked over http",
    runbook="001, security",
    breaks="the configured endpoint is an http address of another machine",
    expected={"app.tls": Status.WARN},
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    outside="register the endpoint's https address",
)
