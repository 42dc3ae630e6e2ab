"""An older event arrived after the newer one, and its word is what the ledger says.

Stripe does not deliver in order. `payment_intent.processing` came 45 seconds after
`payment_intent.succeeded`, and a shop that does not compare set the payment back: `processing`,
though it has the time of its completion (runbook 000, payment status; runbook 004, scenario 4).
"""

from __future__ import annotations

import json
from datetime import timedelta

from payops.domain.status import Status
from payops.lab.losing import (
    STUCK,
    WAITING,
    Event,
    break_webhook,
    dedupe_keys,
    find_again,
    keep,
    mend_webhook,
    payment_of,
    recent,
    spread,
)
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.stripe.objects import derived_token

_OLDER = "payment_intent.processing"
_AFTER = timedelta(seconds=45)
_KEY_LIFE_S = 86_400  # runbook 004: 24 h


def inject(lab: Lab, parameters: Parameters) -> None:
    newer = recent(lab, [lab.system.success])
    paid = spread(newer[: max(WAITING, parameters["count"])], parameters["count"])
    keep(lab, paid)
    older = [_before(event) for event in paid]
    ids = [event["id"] for event in older]
    lab.remember(held=[*lab.recall()["held"], *ids], older=ids)
    lab.stripe.put("/objects", older)
    with lab.postgres.transaction():
        for event, late in zip(paid, older, strict=True):
            _arrive_late(lab, event, late)
    for key in dedupe_keys(lab, ids):
        lab.redis.set(key, "1", ex=_KEY_LIFE_S)
    break_webhook(lab, "any_order")


def _before(newer: Event) -> Event:
    """The event that Stripe made a second before, while the payment was being processed."""
    about = {**newer["data"]["object"], "status": "processing", "latest_charge": None}
    return {
        **newer,
        "id": f"evt_{derived_token('processing ' + newer['id'], 24)}",
        "type": _OLDER,
        "created": newer["created"] - 1,
        "data": {"object": about},
    }


def _arrive_late(lab: Lab, newer: Event, older: Event) -> None:
    """In the log after the newer one, and in the ledger instead of it."""
    lab.postgres.execute(
        "INSERT INTO webhook_events (event_id, type, status, received_at, processed_at, attempts, "
        "payload) SELECT %(id)s, %(type)s, 'processed', received_at + %(after)s, "
        "processed_at + %(after)s, 1, %(payload)s FROM webhook_events WHERE event_id = %(newer)s",
        {
            "id": older["id"],
            "type": older["type"],
            "after": _AFTER,
            "payload": json.dumps(older),
            "newer": newer["id"],
        },
    )
    lab.postgres.execute(
        "UPDATE payments SET status = 'processing', updated_at = (SELECT processed_at "
        "FROM webhook_events WHERE event_id = %s) WHERE processor_ref = %s",
        (older["id"], payment_of(newer)),
    )


def heal(lab: Lab) -> None:
    older = lab.recall().get("older", [])
    lab.stripe.put("/objects", {"remove": older})
    if keys := dedupe_keys(lab, older):
        lab.redis.delete(*keys)
    lab.postgres.execute("DELETE FROM webhook_events WHERE event_id = ANY(%s)", (older,))
    find_again(lab)
    mend_webhook(lab)


SCENARIO = Scenario(
    title="An older event overwrote a newer state",
    runbook="000, payment status; 004, scenario 4",
    breaks="payments that succeeded were set back by an event that was older and came later",
    expected=STUCK,
    inject=inject,
    heal=heal,
    causes=frozenset({"out-of-order"}),
    holds=frozenset({"handler"}),
    parameters={"count": Parameter(14, 1, 10_000, "how many payments; more than 10 system-wide")},
    mild={"count": 3},
    severe={"count": 30},
    differs={"mild": {"payments.stuck-pending": Status.WARN}},
    outside="put back the release that compares what is newer",
    mend=mend_webhook,
)
