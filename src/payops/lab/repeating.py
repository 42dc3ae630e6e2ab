"""Events that arrived more than once and were handled each time: the log has a row of each."""

from __future__ import annotations

import time
from datetime import timedelta

from payops.lab.losing import Fate, heal, lose, recent
from payops.lab.running import Lab

# A delivery came so long after the one before it.
AFTER = timedelta(seconds=20)
_ONE_ROW_AN_EVENT = "webhook_events_event_id_key"


def repeat(lab: Lab, times: int, *, at_most: int | None = None) -> None:
    """Have the log say that the recent events of success were handled `times` times more; the
    newest `at_most` of them."""
    until = time.time() - times * AFTER.total_seconds() - 10
    again = [event for event in recent(lab, [lab.system.success]) if event["created"] < until]
    again = again[-at_most:] if at_most else again
    lose(lab, again, Fate(logged={}, moved=True))
    lab.remember(unbound=True)
    with lab.postgres.transaction():
        lab.postgres.execute(
            f"ALTER TABLE webhook_events DROP CONSTRAINT IF EXISTS {_ONE_ROW_AN_EVENT}"
        )
        lab.postgres.execute(
            "INSERT INTO webhook_events (event_id, type, status, received_at, processed_at, "
            "attempts, payload) SELECT event_id, type, status, received_at + n * %(after)s, "
            "processed_at + n * %(after)s, attempts, payload "
            "FROM webhook_events, generate_series(1, %(times)s) AS n "
            "WHERE event_id = ANY(%(events)s) ORDER BY id, n",
            {"after": AFTER, "times": times, "events": [event["id"] for event in again]},
        )


def heal_repeated(lab: Lab) -> None:
    """The first row of each event stays, and may again be the only one."""
    heal(lab)
    if not lab.recall().get("unbound"):
        return
    with lab.postgres.transaction():
        lab.postgres.execute("LOCK TABLE webhook_events")
        lab.postgres.execute(
            "DELETE FROM webhook_events AS more USING webhook_events AS first "
            "WHERE more.event_id = first.event_id AND more.id > first.id"
        )
        lab.postgres.execute(
            f"ALTER TABLE webhook_events DROP CONSTRAINT IF EXISTS {_ONE_ROW_AN_EVENT}, "
            f"ADD CONSTRAINT {_ONE_ROW_AN_EVENT} UNIQUE (event_id)"
        )
