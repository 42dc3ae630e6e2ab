"""Events are handled a quarter of an hour after they arrived.

The queue behind the endpoint is long: each delivery is answered at once, and handled when its turn
comes. In the end everything is right, but customers waited for what they had paid (runbook 000,
webhook processing time; runbook 001, key performance indicators).
"""

from __future__ import annotations

import time
from datetime import timedelta

from psycopg import sql

from payops.domain.status import Status
from payops.lab.losing import Event, break_webhook, heal, keep, payment_of, recent
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.shop import mapping

LATE = timedelta(minutes=15)
# Of what arrives from now on; a drill should see the end of it.
LATE_FROM_NOW_S = 90


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    until = time.time() - LATE.total_seconds() - 60
    late = [event for event in recent(lab) if event["created"] < until]
    keep(lab, late)
    with lab.postgres.transaction():
        _handle_later(lab, late)
    break_webhook(lab, "late", seconds=LATE_FROM_NOW_S)


def _handle_later(lab: Lab, events: list[Event]) -> None:
    """In the log, and in the rows of the payments that learned of their success by these events."""
    mapped = mapping(lab)
    log, ledger = mapped.event_log, mapped.payments
    if log is not None:
        lab.postgres.execute(
            sql.SQL("UPDATE {} SET {at} = {at} + %s WHERE {} = ANY(%s)").format(
                sql.Identifier(log.table),
                sql.Identifier(log.columns.event_id),
                at=sql.Identifier(log.columns.processed_at),
            ),
            (LATE, [event["id"] for event in events]),
        )
    paid = [payment_of(event) for event in events if event["type"] == lab.system.success]
    for column in filter(None, (ledger.columns.completed_at, ledger.columns.updated_at)):
        lab.postgres.execute(
            sql.SQL("UPDATE {} SET {at} = least({at} + %s, now()) WHERE {} = ANY(%s)").format(
                sql.Identifier(ledger.table),
                sql.Identifier(ledger.columns.processor_ref),
                at=sql.Identifier(column),
            ),
            (LATE, paid),
        )


SCENARIO = Scenario(
    title="Events are handled late",
    runbook="000, webhook processing time; 001, key performance indicators",
    breaks="the queue behind the webhook is long: events are handled 15 minutes after they arrive",
    expected={"payments.latency": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=("reference", "ireti-pos"),
    causes=frozenset({"processed-late"}),
    holds=frozenset({"handler"}),
    outside="start more workers for events",
)
