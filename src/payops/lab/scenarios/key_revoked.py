"""The secret key is one that Stripe does not know: deleted, mistyped, or of another sandbox.

`Invalid API Key provided` (runbook 000, AUTH_001; runbook 004, scenario 3). A key that was rolled
is answered `Expired API Key provided` instead: key-expired.
"""

from __future__ import annotations

from payops.lab.dependents import all_that_need_stripe
from payops.lab.keyfaults import made_up, put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rewrite(lab, secret_key=quoted(made_up(lab, "sk_test_", "revoked")))


SCENARIO = Scenario(
    title="The secret key is unknown to Stripe",
    runbook="000, AUTH_001; 004, scenario 3",
    breaks="payops has a secret key that Stripe does not know",
    expected=all_that_need_stripe(),
    silences="stripe",
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"secret key"}),
    outside="put the key that is good in place",
)
