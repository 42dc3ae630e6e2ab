"""An outside processor's payment was recorded with an amount that is no number: NaN.

A division by nothing in the synchronisation, and a float takes it. One such row makes every SUM
over it NaN too: the totals of the month show nothing (runbook 003, analytics and reporting issues).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.outsidefaults import change, put_rows_right
from payops.lab.scenario import Lab, Parameters, Scenario

TRANSACTIONS = "external_transactions"
_NEWEST_PAID = """
SELECT id FROM external_transactions
WHERE lower(status) IN ('succeeded', 'completed') ORDER BY created_at DESC, id DESC LIMIT 1
"""


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    row = lab.postgres.execute(_NEWEST_PAID).fetchone()
    if row is None:
        raise LabError("no outside processor has taken anything in this lab")
    change(lab, TRANSACTIONS, [row[0]], {"amount": float("nan")})


SCENARIO = Scenario(
    title="An outside payment has no readable amount",
    runbook="003, analytics and reporting issues",
    breaks="the amount of one outside processor's payment is NaN",
    expected={"external.volume": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"transactions"}),
    outside="put these amounts right in the application",
)
