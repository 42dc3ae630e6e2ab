"""Events that Stripe delivered twice were handled twice.

Stripe may send an event more than once. A migration took away what kept the log to one row an
event, and a release the keys in Redis by which duplicates are known: each delivery is a row of its
own, `processed`. This shop's ledger bears it; one that ships goods, or sends mails, does not
(runbook 000, duplicate events; runbook 004, idempotency).
"""

from __future__ import annotations

import time
from datetime import timedelta

from payops.lab.losing import Fate, break_webhook, heal, lose, recent
from payops.lab.scenario import Lab, Parameters, Scenario

# The second delivery came so long after the first one.
AFTER = timedelta(seconds=20)
_ONE_ROW_AN_EVENT = "webhook_events_event_id_key"


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    until = time.time() - AFTER.total_seconds() - 10
    twice = [event for event in recent(lab, [lab.system.success]) if event["created"] < until]
    lose(lab, twice, Fate(logged={}, moved=True))
    lab.remember(unbound=True)
    with lab.postgres.transaction():
        lab.postgres.execute(
            f"ALTER TABLE webhook_events DROP CONSTRAINT IF EXISTS {_ONE_ROW_AN_EVENT}"
        )
        lab.postgres.execute(
            "INSERT INTO webhook_events (event_id, type, status, received_at, processed_at, "
            "attempts, payload) SELECT event_id, type, status, received_at + %(after)s, "
            "processed_at + %(after)s, attempts, payload FROM webhook_events "
            "WHERE event_id = ANY(%(events)s) ORDER BY id",
            {"after": AFTER, "events": [event["id"] for event in twice]},
        )
    break_webhook(lab, "no_dedupe")


def heal_twice(lab: Lab) -> None:
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


SCENARIO = Scenario(
    title="Events are handled twice",
    runbook="000, duplicate events; 004, idempotency",
    breaks="the shop does not know an event again that it has had, and handles it a second time",
    expected={},
    inject=inject,
    heal=heal_twice,
    # Ireti counts no attempts and keeps its one row; the others have no log to show it.
    causes=frozenset({"processed-twice"}),
    holds=frozenset({"handler"}),
)
