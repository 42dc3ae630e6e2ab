"""Payments are pending for more than 30 minutes, though Stripe has long taken the money.

The worker crashed between Stripe's answer and the ledger (runbook 004, scenario 4; "payment failed
but money deducted", runbook 002). The events were delivered: they are in the event log as
`processing` since then, with no `processed_at`, so Stripe will not send them again. What helps is
to ask Stripe about each payment and to write down what it says.
"""

from __future__ import annotations

from datetime import timedelta

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import put_back, rows_of

YOUNGEST = timedelta(minutes=35)  # the oldest are 3 h old, or older in a shop with few customers


def inject(lab: Lab, parameters: Parameters) -> None:
    count = parameters["count"]
    chosen = [
        row[0]
        for row in lab.postgres.execute(
            "SELECT processor_ref FROM payments WHERE status = 'succeeded' "
            "AND created_at < now() - %s ORDER BY created_at DESC LIMIT %s",
            (YOUNGEST, _spread(lab, count)),
        ).fetchall()
    ]
    if len(chosen) < count:
        raise LabError(
            f"the lab has {len(chosen)} payments that can be lost, not {count}",
            hint="choose fewer with count=, or start a lab with more payments",
        )
    # Evenly out of the stretch, so that others around them succeeded.
    chosen = [chosen[index * len(chosen) // count] for index in range(count)]
    events = [
        row[0]
        for row in lab.postgres.execute(
            "SELECT event_id FROM webhook_events WHERE type = 'payment_intent.succeeded' "
            "AND payload->'data'->'object'->>'id' = ANY(%s)",
            (chosen,),
        ).fetchall()
    ]
    lab.remember(
        payments=rows_of(lab, "payments", "processor_ref", chosen),
        events=rows_of(lab, "webhook_events", "event_id", events),
    )
    with lab.postgres.transaction():
        lab.postgres.execute(
            "UPDATE payments SET status = 'pending', completed_at = NULL, "
            "updated_at = created_at + interval '1 second' WHERE processor_ref = ANY(%s)",
            (chosen,),
        )
        lab.postgres.execute(
            "UPDATE webhook_events SET status = 'processing', processed_at = NULL "
            "WHERE event_id = ANY(%s)",
            (events,),
        )


def _spread(lab: Lab, count: int) -> int:
    """How many payments to choose from: those up to 3 h old, but no fewer than `count`."""
    row = lab.postgres.execute(
        "SELECT count(*) FROM payments WHERE status = 'succeeded' "
        "AND created_at BETWEEN now() - interval '3 hours' AND now() - %s",
        (YOUNGEST,),
    ).fetchone()
    return max(count, row[0] if row else 0)


def heal(lab: Lab) -> None:
    kept = lab.recall()
    with lab.postgres.transaction():
        put_back(lab, "payments", kept.get("payments", []))
        put_back(lab, "webhook_events", kept.get("events", []))


SCENARIO = Scenario(
    title="Payments are stuck pending",
    runbook="004, scenario 4; 002, step 1",
    breaks="the worker lost payments that Stripe has taken: they are still pending in the ledger",
    expected={"payments.stuck-pending": Status.CRIT},
    inject=inject,
    heal=heal,
    changes=frozenset({"payments"}),
    parameters={
        "count": Parameter(14, 1, 10_000, "how many payments; more than 10 are system-wide"),
    },
)
