"""Banks decline most payments, of all customers.

One customer's decline is no incident (runbook 002); several cards in a row are a bank that is down,
or somebody who tries stolen ones (runbook 000, card security block).
"""

from __future__ import annotations

import math

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

# No customer has more than three.
_CODES = ("do_not_honor", "generic_decline", "issuer_not_available")
# Of fewer attempts no rate is told.
_FEWEST = 10


def inject(lab: Lab, parameters: Parameters) -> None:
    share = parameters["share"]
    found = lab.postgres.execute(
        "SELECT count(*) FROM payments WHERE created_at > now() - interval '1 hour'"
    ).fetchone()
    others = found[0] if found else 0
    count = max(math.ceil(others * share / (100 - share)), _FEWEST - others, 2)

    def declined(number: int) -> dict[str, object]:
        return {
            "status": "failed",
            "failure_code": _CODES[number % len(_CODES)],
            "failure_message": "Your card was declined.",
            "customer_id": f"cus_lab{number:011d}",
        }

    add_payments(lab, count, declined, minutes=40, stripe="requires_payment_method")


SCENARIO = Scenario(
    title="Banks decline most payments",
    runbook="000, card declined",
    breaks="nine of ten payments, of as many customers, were declined in 40 minutes",
    expected={"payments.declines": Status.CRIT},
    inject=inject,
    heal=take_away,
    parameters={"share": Parameter(90, 45, 97, "per cent of the hour's payments; 60 are CRIT")},
    mild={"share": 50},
    severe={"share": 96},
    differs={"mild": {"payments.declines": Status.WARN}},
    outside="wait for the bank; where it is card testing, limit attempts at the checkout",
)
