"""No payment has been recorded for over an hour, at a time at which many come every day.

Users or collectors cannot record payments (runbook 004, 'Symptoms'): the page is broken before it
asks anybody, so nothing fails and every rate is good.
"""

from __future__ import annotations

import json
import random
from datetime import timedelta
from uuid import UUID

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.shop import mapping, put_back, remove_added

DAYS, A_DAY = 7, 12


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    found = lab.postgres.execute(
        "SELECT to_jsonb(p), created_at FROM payments p "
        "WHERE created_at > now() - interval '90 minutes' "
        "AND NOT EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id) ORDER BY created_at"
    ).fetchall()
    if not found:
        raise LabError("the lab has no recent payments", hint="start one with more payments")
    gone = [row[0] for row in found]
    copies = [row for row in found if row[0]["status"] == "succeeded"] or found
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    earlier = []
    for day in range(1, DAYS + 1):
        for number in range(A_DAY):
            row, _ = copies[number % len(copies)]
            id_ = str(UUID(int=rng.getrandbits(128), version=4))
            minutes = 55 * (number + 0.5) / A_DAY
            earlier.append(
                {
                    **row,
                    "id": id_,
                    "order_id": f"order-{day}-{number}",
                    "idempotency_key": f"pay-{id_}",
                    "processor_ref": f"pi_{id_.replace('-', '')[:24]}",
                    **_times(lab, timedelta(days=day, minutes=minutes)),
                }
            )
    lab.remember(payments=gone, added=[row["id"] for row in earlier])
    table = mapping(lab).payments.table
    put_back(lab, table, json.loads(json.dumps(earlier)))
    lab.postgres.execute(
        "DELETE FROM payments WHERE id::text = ANY(%s)", ([row["id"] for row in gone],)
    )


def _times(lab: Lab, before: timedelta) -> dict[str, str]:
    """When a copy was made and completed, by the database's clock."""
    found = lab.postgres.execute(
        "SELECT now() - %s, now() - %s + interval '2 seconds'", (before, before)
    ).fetchone()
    assert found is not None  # noqa: S101  one row always
    made, completed = (moment.isoformat() for moment in found)
    return {"created_at": made, "completed_at": completed, "updated_at": completed}


def heal(lab: Lab) -> None:
    kept = lab.recall()
    if kept.get("added"):
        remove_added(lab)
    put_back(lab, mapping(lab).payments.table, kept.get("payments", []))


SCENARIO = Scenario(
    title="No payment comes any more",
    runbook="004, symptoms",
    breaks="nothing was recorded for over an hour, where a dozen come each day",
    expected={"payments.volume": Status.CRIT},
    inject=inject,
    heal=heal,
    changes=frozenset({"payments"}),
    outside="put back the release whose checkout worked",
)
