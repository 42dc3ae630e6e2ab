"""Two orders were paid twice within a minute: a double click, and no idempotency key.

The customer sees two charges ("charged twice", runbook 002). The ledger has two rows of one order;
which of them Stripe took is for a reconciliation to say.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    began = datetime.now(UTC) - timedelta(minutes=20)

    def twice(number: int) -> dict[str, object]:
        order, second = divmod(number, 2)
        created = began + timedelta(minutes=order, seconds=20 * second)
        return {
            "status": "succeeded",
            "order_id": f"order-twice-{order}",
            "customer_id": f"cus_labTwice{order}",
            "amount": 3_700 + order,
            "currency": "usd",
            "created_at": created,
            "completed_at": created + timedelta(seconds=1),
        }

    add_payments(lab, 4, twice, minutes=20, stripe="succeeded")


SCENARIO = Scenario(
    title="Orders were paid twice",
    runbook="002, payment failed but money deducted",
    breaks="two orders were paid twice within a minute",
    expected={"payments.duplicates": Status.WARN},
    inject=inject,
    heal=take_away,
)
