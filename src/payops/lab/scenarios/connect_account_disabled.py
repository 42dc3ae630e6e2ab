"""Stripe has disabled the account of a seller at Connect: nobody can be charged for her.

The platform's own account is well, so that payments of one barber alone fail (runbook 003, 'Stripe
Connect').
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    about = lab.stripe.get(f"/objects/{lab.system.style.accounts[-1]}")
    lab.remember(account=about)
    required = {**about["requirements"], "disabled_reason": "requirements.past_due"}
    lab.stripe.put("/objects", [{**about, "charges_enabled": False, "requirements": required}])


def heal(lab: Lab) -> None:
    if about := lab.recall().get("account"):
        lab.stripe.put("/objects", [about])


SCENARIO = Scenario(
    title="A seller's account at Connect is disabled",
    runbook="003, Stripe Connect account",
    breaks="Stripe has disabled charges of one barber's account: its papers are overdue",
    expected={"external.accounts": Status.WARN},
    inject=inject,
    heal=heal,
    presets=("bookedbarber",),
    outside="the barber gives Stripe the papers that it asks for",
)
