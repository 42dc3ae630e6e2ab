"""A test key where customers pay: every payment with it is play money.

The environment is called production and the keys are `sk_test_…` (runbook 002, 'Environment
variables': critical; all test payments end in test mode). Nothing fails, no money comes in.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import put_right, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rewrite(lab, environment="production")


SCENARIO = Scenario(
    title="Test keys in production",
    runbook="002, environment variables",
    breaks="the environment is production, and the keys are test keys",
    expected={"stripe.api": Status.CRIT, "keys.configured": Status.CRIT},
    keys=frozenset({"keys.mode"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"mode"}),
    outside="put the live keys in place",
)
