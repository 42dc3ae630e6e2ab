"""The secret key is older than the rotation policy allows.

Nothing fails by it; a key that leaked long ago is still good (runbooks 000, 001, 002 and 004,
rotate API keys).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.lab.keyfaults import put_right, rewrite
from payops.lab.scenario import Lab, Parameters, Scenario

AGE_DAYS = 400  # keys.max_age is 365 d


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    day = datetime.now(UTC).date() - timedelta(days=AGE_DAYS)
    rewrite(lab, rotated_at=f"{{stripe.secret_key: {day}, stripe.webhook_secrets: {day}}}")


SCENARIO = Scenario(
    title="A key is older than the policy",
    runbook="000, 001, 002 and 004, rotate API keys",
    breaks="the keys were last rotated 400 days ago",
    expected={},
    keys=frozenset({"keys.rotation"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"rotation"}),
    outside="roll the key, and record it: payops keys rotated",
)
