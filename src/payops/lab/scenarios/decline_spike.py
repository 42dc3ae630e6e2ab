"""Banks decline most payments, of all customers.

One customer's decline is no incident (runbook 002); several cards in a row are a bank that is down,
or somebody who tries stolen ones (runbook 000, card security block).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameters, Scenario

COUNT = 90
# No customer has more than three.
_CODES = ("do_not_honor", "generic_decline", "issuer_not_available")


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters

    def declined(number: int) -> dict[str, object]:
        return {
            "status": "failed",
            "failure_code": _CODES[number % len(_CODES)],
            "failure_message": "Your card was declined.",
            "customer_id": f"cus_lab{number:011d}",
        }

    add_payments(lab, COUNT, declined, minutes=40, stripe="requires_payment_method")


SCENARIO = Scenario(
    title="Banks decline most payments",
    runbook="000, card declined",
    breaks="90 payments of as many customers were declined in 40 minutes",
    expected={"payments.declines": Status.CRIT},
    inject=inject,
    heal=take_away,
)
