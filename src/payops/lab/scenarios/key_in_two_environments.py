"""Staging is started with the same secret key and webhook secret as this environment.

Whoever may see the one may charge in the other, forge its events, and tests are found among the
payments (runbook 002, environment variables). The file of staging is one of `keys.sources`.
"""

from __future__ import annotations

from payops.lab.keyfaults import append, leave_file, put_right, quoted
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    keys = lab.info
    text = f"STRIPE_SECRET_KEY={keys.secret_key}\nSTRIPE_WEBHOOK_SECRET={keys.webhook_secret}\n"
    path = leave_file(lab, "staging.env", text)
    append(lab, f"  sources: [{quoted(f'staging={path}')}]\n")


SCENARIO = Scenario(
    title="One key in two environments",
    runbook="002, environment variables",
    breaks="the .env file of staging has the same secret key and webhook secret",
    expected={},
    keys=frozenset({"keys.environments"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"sources"}),
    outside="give each environment a key of its own",
)
