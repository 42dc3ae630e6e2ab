"""The secret key is of another account than the ledger's payments.

It is valid, and sees an empty account: nothing fails, nothing is found, and a reconciliation would
call every payment missing at Stripe (runbook 002, environment variables).
"""

from __future__ import annotations

from payops.lab.keyfaults import change_key, made_up, put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    secret = made_up(lab, "sk_test_", "secret elsewhere")
    change_key(lab, secret, account="acct_1LabElsewhere")
    rewrite(lab, secret_key=quoted(secret))


SCENARIO = Scenario(
    title="The secret key is of another account",
    runbook="002, environment variables",
    breaks="the secret key belongs to another account than the ledger's payments",
    expected={},
    keys=frozenset({"keys.account"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"secret key"}),
    outside="put the account's own secret key in place",
)
