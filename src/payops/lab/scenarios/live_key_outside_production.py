"""Live keys in a staging environment: whoever tries something there takes real money.

The reverse of runbook 002's `sk_test` in production. In the lab nothing is real: the simulator is
told of two keys that look like live ones and see what the test keys see.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import change_key, made_up, put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    secret = made_up(lab, "sk_live_", "live secret")
    public = made_up(lab, "pk_live_", "live publishable")
    for key in (secret, public):
        change_key(lab, key, livemode=False)
    rewrite(lab, secret_key=quoted(secret), publishable_key=quoted(public))


SCENARIO = Scenario(
    title="Live keys outside production",
    runbook="002, environment variables",
    breaks="the keys are live keys, and the environment is not production",
    expected={"keys.configured": Status.CRIT},
    keys=frozenset({"keys.mode"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"mode", "secret key", "publishable key"}),
    outside="put a test key in place, and roll the live one",
)
