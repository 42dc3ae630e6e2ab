"""Stripe has disabled the account: what it wanted to know of the owner was not given in time.

Every payment from now on is refused, though the API, the key and the status page are well; payouts
stop as well (runbook 001, 'Stripe configuration recovery'). What Stripe asks for is in the
Dashboard.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    account = lab.stripe.get(f"/objects/{lab.info.account}")
    lab.remember(account=account)
    wanted = ["individual.verification.document", "external_account"]
    requirements = {
        **account["requirements"],
        "past_due": wanted,
        "currently_due": wanted,
        "disabled_reason": "requirements.past_due",
    }
    lab.stripe.put(
        "/objects",
        [
            {
                **account,
                "charges_enabled": False,
                "payouts_enabled": False,
                "requirements": requirements,
            }
        ],
    )


def heal(lab: Lab) -> None:
    if account := lab.recall().get("account"):
        lab.stripe.put("/objects", [account])


SCENARIO = Scenario(
    title="Stripe has disabled the account",
    runbook="001, Stripe configuration recovery",
    breaks="requirements of the account are overdue: it takes no charges and gets no payouts",
    expected={"stripe.account": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"account"}),
    outside="give Stripe what it asks for, in the Dashboard",
)
