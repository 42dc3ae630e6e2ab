"""Staging is started with the same secret key as this environment.

Whoever may see the one may charge in the other, and tests are found among the payments (runbook
002, environment variables). The file of staging is one of `keys.sources`.
"""

from __future__ import annotations

from payops.lab.keyfaults import append, leave_file, put_right, quoted
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    text = f"STRIPE_SECRET_KEY={lab.info.secret_key}\n"
    path = leave_file(lab, "staging.env", text)
    append(lab, f"  sources: [{quoted(f'staging={path}')}]\n")


SCENARIO = Scenario(
    title="One key in two environments",
    runbook="002, environment variables",
    breaks="the .env file of staging has the same secret key",
    expected={},
    keys=frozenset({"keys.environments"}),
    inject=inject,
    heal=put_right,
    changes=frozenset({"configuration"}),
    holds=frozenset({"sources"}),
)
