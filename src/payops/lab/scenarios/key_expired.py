"""The secret key has expired: it was rolled, and its overlap is over.

`Expired API Key provided` (runbook 002, scenario A; runbook 004, 'Rotate API keys'). Payments begin
to fail with the next one; none has failed yet.
"""

from __future__ import annotations

from payops.lab.dependents import all_that_need_stripe
from payops.lab.keyfaults import change_key, put_right
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    change_key(lab, lab.info.secret_key, revoked=True)


SCENARIO = Scenario(
    title="The secret key has expired",
    runbook="002, scenario A; 004, rotate API keys",
    breaks="the secret key was rolled, and the old one has expired",
    expected=all_that_need_stripe(),
    silences="stripe",
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"secret key"}),
    outside="put the key that is good in place",
    # The same fault, before a payment has failed by it.
    told_as=frozenset({"stripe-key-invalid"}),
)
