"""No webhook secret is configured, though there is an endpoint.

An application without one refuses every event, or, as Ireti does, believes everybody (runbook 000
and 002, STRIPE_WEBHOOK_SECRET).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import put_right, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rewrite(lab, webhook_secrets="[]")


SCENARIO = Scenario(
    title="The webhook secret is missing",
    runbook="000 and 002, STRIPE_WEBHOOK_SECRET",
    breaks="there is an endpoint and no webhook secret",
    expected={"keys.configured": Status.WARN},
    keys=frozenset({"keys.webhook-secret"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"webhook secret"}),
    outside="configure the endpoint's signing secret",
)
