"""Payments are pending for more than 30 minutes, though Stripe has long taken the money.

The worker crashed between Stripe's answer and the ledger (runbook 004, scenario 4; "payment failed
but money deducted", runbook 002). The events were delivered: they are in the event log as
`processing` since then, with no `processed_at`, so Stripe will not send them again. What helps is
to ask Stripe about each payment and to write down what it says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, put_back, rows_of, set_columns

YOUNGEST = timedelta(minutes=35)  # the oldest are 3 h old, or older in a shop with few customers
OLDEST = timedelta(hours=3)


def inject(lab: Lab, parameters: Parameters) -> None:
    count = parameters["count"]
    ledger = mapping(lab).payments
    columns, table = ledger.columns, ledger.table
    held = lab.held()
    succeeded = _succeeded(lab, count + len(held))
    found = [row for row in succeeded if row[columns.processor_ref] not in held]
    if len(found) < count:
        raise LabError(
            f"the lab has {len(found)} payments that can be lost, not {count}",
            hint="choose fewer with count=, or start a lab with more payments",
        )
    # Evenly out of the stretch, so that others around them succeeded.
    chosen = [found[index * len(found) // count] for index in range(count)]
    keys = [str(row[columns.id]) for row in chosen]
    log, events = (
        mapping(lab).event_log,
        _events(lab, [row[columns.processor_ref] for row in chosen]),
    )
    lab.remember(
        payments=rows_of(lab, table, columns.id, keys),
        events=rows_of(lab, log.table, log.columns.event_id, events) if log else [],
        held=[*events, *(row[columns.processor_ref] for row in chosen)],
    )
    with lab.postgres.transaction():
        set_columns(lab, table, columns.id, keys, lab.system.stuck)
        if columns.updated_at:
            lab.postgres.execute(
                sql.SQL(
                    "UPDATE {} SET {} = {} + interval '1 second' WHERE {}::text = ANY(%s)"
                ).format(
                    *map(
                        sql.Identifier,
                        (table, columns.updated_at, columns.created_at, columns.id),
                    )
                ),
                (keys,),
            )
        if log:
            set_columns(lab, log.table, log.columns.event_id, events, lab.system.unhandled)


def _succeeded(lab: Lab, count: int) -> list[dict[str, Any]]:
    """Payments to choose from: those up to 3 h old, but no fewer than `count`; newest first."""
    ledger = mapping(lab).payments
    columns = ledger.columns
    # The session's zone is UTC: what a column without one means.
    created = sql.SQL("{}::timestamptz").format(sql.Identifier(columns.created_at))
    query = sql.SQL(
        "SELECT to_jsonb(t) FROM {table} t WHERE {status}::text = ANY(%(words)s) AND "
        "{created} < now() - %(youngest)s ORDER BY {created} DESC LIMIT greatest(%(count)s, "
        "(SELECT count(*) FROM {table} WHERE {status}::text = ANY(%(words)s) "
        "AND {created} BETWEEN now() - %(oldest)s AND now() - %(youngest)s))"
    ).format(
        table=sql.Identifier(ledger.table), status=sql.Identifier(columns.status), created=created
    )
    given = {
        "words": list(ledger.statuses["succeeded"]),
        "youngest": YOUNGEST,
        "oldest": OLDEST,
        "count": count,
    }
    return [row[0] for row in lab.postgres.execute(query, given).fetchall()]


def _events(lab: Lab, intents: list[str]) -> list[str]:
    """Of the payments' success, in the log of events; none where the system keeps no log."""
    log = mapping(lab).event_log
    if log is None or not lab.system.payload:
        return []
    query = sql.SQL(
        "SELECT {event} FROM {table} WHERE {type} = 'payment_intent.succeeded' "
        "AND {payload} -> 'data' -> 'object' ->> 'id' = ANY(%s)"
    ).format(
        event=sql.Identifier(log.columns.event_id),
        table=sql.Identifier(log.table),
        type=sql.Identifier(log.columns.type),
        payload=sql.Identifier(lab.system.payload),
    )
    return [row[0] for row in lab.postgres.execute(query, (intents,)).fetchall()]


def heal(lab: Lab) -> None:
    kept, log = lab.recall(), mapping(lab).event_log
    with lab.postgres.transaction():
        put_back(lab, mapping(lab).payments.table, kept.get("payments", []))
        if log:
            put_back(lab, log.table, kept.get("events", []))


SCENARIO = Scenario(
    title="Payments are stuck pending",
    runbook="004, scenario 4; 002, step 1",
    breaks="the worker lost payments that Stripe has taken: they are still pending in the ledger",
    expected={"payments.stuck-pending": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    causes=frozenset({"received-not-processed"}),
    unlogged=frozenset({"answered-not-processed"}),
    parameters={
        "count": Parameter(14, 1, 10_000, "how many payments; more than 10 are system-wide"),
    },
    mild={"count": 3},
    severe={"count": 30},
    differs={"mild": {"payments.stuck-pending": Status.WARN}},
    classes=frozenset({"status_mismatch"}),
)
