"""The secret key stands in quotes that were taken as part of it.

Docker's `--env-file` and a Kubernetes Secret made from a quoted line keep them: Stripe answers
`Invalid API Key provided`, and the key looks right (runbook 002, environment variables).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_need_stripe
from payops.lab.keyfaults import put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rewrite(lab, secret_key=quoted(f"'{lab.info.secret_key}'"))


SCENARIO = Scenario(
    title="The secret key is in quotes",
    runbook="002, environment variables",
    breaks="the secret key is sent to Stripe with the quotes around it",
    expected={
        **all_that_need_stripe(),
        "keys.configured": Status.CRIT,
    },
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"secret key"}),
    outside="write the key without quotes",
)
