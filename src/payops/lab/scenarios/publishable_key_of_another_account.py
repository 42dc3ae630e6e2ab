"""The publishable key is of another account than the secret key: no checkout ends.

The browser asks for a PaymentIntent that its account does not have, `No such payment_intent`
(runbook 002, environment variables). Each key alone is valid.
"""

from __future__ import annotations

from payops.lab.keyfaults import change_key, made_up, put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    public = made_up(lab, "pk_test_", "publishable elsewhere")
    change_key(lab, public, account="acct_1LabElsewhere")
    rewrite(lab, publishable_key=quoted(public))


SCENARIO = Scenario(
    title="The publishable key is of another account",
    runbook="002, environment variables",
    breaks="the publishable key belongs to another account than the secret key",
    expected={},
    keys=frozenset({"keys.account"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"publishable key"}),
    outside="put the account's own publishable key in place",
)
