"""payops is pinned to an API version of years ago, and the account's events are made in its own.

Runbook 002 pins Stripe-Version in its probe. Read in one version and told in another, a field may
be missing from one side.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import put_right, quoted, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario

OLD = "2020-08-27"


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    rewrite(lab, account=f"{quoted(lab.info.account)}\n  api_version: {quoted(OLD)}")


SCENARIO = Scenario(
    title="Another API version is pinned",
    runbook="002, step 2",
    breaks="payops reads Stripe in an older API version than the events are made in",
    expected={"stripe.api-version": Status.WARN},
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    outside="pin the API version that the account's events are made in",
)
