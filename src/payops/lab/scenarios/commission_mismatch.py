"""The commission of outside payments is not what the rate says.

The rate is per cent in one place and a fraction in another: 15 % of $80 was written down as $1.20
(runbook 003, 'Commission Rate Calculation'). Nothing fails; the platform is paid too little, or a
barber pays too much, until the sums are held against the rates.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.outsidefaults import TRANSACTIONS, keep, put_rows_right
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    count = parameters["count"]
    # What was collected already has moved money, and is another matter.
    found = lab.postgres.execute(
        "SELECT id FROM external_transactions WHERE commission_collected IS NOT TRUE "
        "ORDER BY created_at DESC LIMIT %s",
        (count,),
    ).fetchall()
    keys = [row[0] for row in found]
    if len(keys) < count:
        raise LabError(
            f"the lab has {len(keys)} transactions that are not collected, not {count}",
            hint="choose fewer with count=, or start a lab with more payments",
        )
    keep(lab, TRANSACTIONS, keys)
    lab.postgres.execute(
        "UPDATE external_transactions SET commission_amount = "
        "round(commission_amount::numeric * %s / 100, 2) WHERE id = ANY(%s)",
        (parameters["percent"], keys),
    )


SCENARIO = Scenario(
    title="Commissions are not what their rate says",
    runbook="003, commission rate calculation",
    breaks="outside transactions have a commission of a tenth of what their rate gives",
    expected={},
    elsewhere={"external.commission": Status.CRIT},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"transactions"}),
    parameters={
        "count": Parameter(6, 1, 200, "how many transactions"),
        "percent": Parameter(10, 0, 90, "what is left of each commission"),
    },
    mild={"count": 1, "percent": 50},
    severe={"count": 12, "percent": 0},
)
