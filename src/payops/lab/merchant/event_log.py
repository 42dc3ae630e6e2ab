"""The shop's log of received events: received, processing, then processed or failed."""

from __future__ import annotations

import json
from typing import Any

from payops.lab.merchant.ledger import Connection

LONGEST_ERROR = 500


def write(connection: Connection, event: dict[str, Any]) -> None:
    """Write the event down as received, if it is not there."""
    connection.execute(
        """
        INSERT INTO webhook_events (event_id, type, payload) VALUES (%s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (event["id"], event["type"], json.dumps(event)),
    )


def receive(connection: Connection, event: dict[str, Any], *, again: bool = False) -> bool:
    """Write the event down and begin an attempt; False when it was processed before.

    Finds the row of an earlier attempt, also one that Redis has forgotten. With `again`, what was
    processed before is begun once more: in a row of its own, where the table allows that.
    """
    if again and _another_row(connection, event):
        return True
    write(connection, event)
    begun = connection.execute(
        """
        UPDATE webhook_events SET status = 'processing', attempts = attempts + 1
        WHERE event_id = %s AND (%s OR status <> 'processed')
        """,
        (event["id"], again),
    )
    return begun.rowcount == 1


def _another_row(connection: Connection, event: dict[str, Any]) -> bool:
    inserted = connection.execute(
        """
        INSERT INTO webhook_events (event_id, type, status, attempts, payload)
        VALUES (%s, %s, 'processing', 1, %s) ON CONFLICT DO NOTHING
        """,
        (event["id"], event["type"], json.dumps(event)),
    )
    return inserted.rowcount == 1


def processed(connection: Connection, event_id: str) -> None:
    """The attempt ended well."""
    connection.execute(
        """
        UPDATE webhook_events SET status = 'processed', processed_at = now(), error = NULL
        WHERE event_id = %s AND status = 'processing'
        """,
        (event_id,),
    )


def failed(connection: Connection, event_id: str, error: str) -> None:
    """The attempt failed; Stripe will deliver the event again."""
    connection.execute(
        "UPDATE webhook_events SET status = 'failed', error = %s "
        "WHERE event_id = %s AND status = 'processing'",
        (error[:LONGEST_ERROR], event_id),
    )
