"""payops has a restricted key that may not read all that payops reads.

What it lacks is answered 403 (`does not have the required permissions`), which shows only when a
command needs it: here payouts cannot be reconciled, and endpoints not be listed.
"""

from __future__ import annotations

from payops.lab.keyfaults import change_key, made_up, put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario

GRANTED = (
    "payment_intents",
    "charges",
    "checkout_sessions",
    "refunds",
    "disputes",
    "events",
    "customers",
    "account",
)


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    secret = made_up(lab, "rk_test_", "restricted")
    change_key(lab, secret, permissions=dict.fromkeys(GRANTED, "read"))
    rewrite(lab, secret_key=quoted(secret))


SCENARIO = Scenario(
    title="A restricted key lacks permissions",
    runbook="001, morning check",
    breaks="payops' key may not read payouts, balance transactions and webhook endpoints",
    expected={},
    keys=frozenset({"keys.permissions"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"secret key"}),
    outside="give the key the permission in Stripe's Dashboard",
)
