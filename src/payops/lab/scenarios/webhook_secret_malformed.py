"""The webhook secret was cut off when it was copied: every signature fails.

Its first eight characters, which the runbook prints to compare, are right (runbook 004, webhook
secret).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rewrite(lab, webhook_secrets=f"[{quoted(lab.info.webhook_secret[:16])}]")


SCENARIO = Scenario(
    title="The webhook secret is malformed",
    runbook="002 and 004, webhook secret",
    breaks="the webhook secret was cut off",
    expected={"keys.configured": Status.CRIT},
    keys=frozenset({"keys.webhook-secret"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"webhook secret"}),
    outside="copy the endpoint's signing secret whole",
)
