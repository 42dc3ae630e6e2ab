"""Events that are lost on their way to a row: which ones, and what every side shows of them then.

A scenario chooses events (`recent`), and says what became of them (`lose`). All that is changed is
remembered first, so `find_again` restores it exactly. Two scenarios choose different payments: the
one that comes second takes older ones, as if it had begun earlier.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.forgetting import forget, known_of
from payops.lab.parameter import Parameter, Severity
from payops.lab.running import Lab
from payops.lab.shop import (
    mapping,
    put_back,
    put_back_strings,
    rows_of,
    set_columns,
    strings_with_expiry,
)
from payops.lab.stripe.objects import derived_token

Event = dict[str, Any]

RECENT_S = 40 * 60
# Just above the 30 minutes after which a pending payment is stuck (runbook 004, scenario 4) ...
WAITING_S = 31 * 60
# ... of which more than 10 are system-wide.
WAITING = 14
# What a health check says of paid orders that are still pending, and of events that are owed.
STUCK = {"payments.stuck-pending": Status.CRIT}
STUCK_AND_OWED = {**STUCK, "webhooks.backlog": Status.CRIT}
# How many have waited, as a parameter of a scenario, and by its severity.
LOST = {
    "waiting": Parameter(WAITING, 2, 10_000, "payments that wait over 31 min; above 10 is CRIT")
}
LOST_MILD, LOST_SEVERE = {"waiting": 4}, {"waiting": 40}
LOST_DIFFERS: Mapping[Severity, Mapping[str, Status]] = {
    "mild": {"payments.stuck-pending": Status.WARN}
}
LOST_VARIES = frozenset({"webhooks.backlog"})
_FIRST_READ = 2_000
# Stripe's delays grow: after 40 minutes the next attempt is an hour away.
_NEXT_TRY_S = 3_600


@dataclass(frozen=True)
class Fate:
    """What became of events that were lost.

    `owed` tells that Stripe still tries to deliver them; then `status` or `error` is what came of
    the last attempt. `logged` are columns of their rows in the event log, None: there are no rows.
    With `seen` their dedupe keys are there. With `moved` the ledger knows what they told.
    """

    owed: bool = False
    status: int | None = None
    error: str | None = None
    logged: Mapping[str, object] | None = None
    seen: bool = False
    moved: bool = False


def payment_of(event: Event) -> str:
    """The PaymentIntent that an event is about; empty when it is about none."""
    about = event["data"]["object"]
    named = about["id"] if about["object"] == "payment_intent" else about.get("payment_intent")
    return str(named or "")


def recent(lab: Lab, types: Collection[str] = (), *, waiting: int = WAITING) -> list[Event]:
    """The events of the last 40 minutes that the endpoint is registered for, the oldest first.

    In a quiet shop they are those of a longer time, so that `waiting` payments have waited for more
    than 31 minutes. `types` alone, if given; none of what another scenario has changed. Raises
    LabError when there are none.
    """
    registered, held, now = set(lab.system.front.events), lab.held(), time.time()
    limit, found = _FIRST_READ, list[Event]()
    while True:
        read = lab.stripe.get(f"/objects?type=event&limit={limit}")["objects"]
        found = [
            event
            for event in read
            if {"*", event["type"]} & registered and not {event["id"], payment_of(event)} & held
        ]
        since = _beginning(found, lab.system.success, now, waiting)
        if since is not None or len(read) < limit:
            break
        limit *= 4
    chosen = [
        event
        for event in reversed(found)
        if event["created"] >= (since or 0) and (not types or event["type"] in types)
    ]
    if not chosen:
        raise LabError(
            "the lab has no events that could be lost",
            hint="start one with more payments, or heal another scenario",
        )
    return chosen


def _beginning(events: Sequence[Event], success: str, now: float, least: int) -> float | None:
    """When the loss began, in epoch seconds; None when there are too few payments.

    `events` are the newest first.
    """
    began: dict[str, int] = {}
    for event in events:
        began[payment_of(event)] = event["created"]
    waiting = [
        payment_of(event)
        for event in events
        if event["type"] == success and event["created"] < now - WAITING_S
    ]
    if len(waiting) < least:
        return None
    return min(now - RECENT_S, *(began[intent] for intent in waiting[:least]))


def spread(events: Sequence[Event], count: int) -> list[Event]:
    """`count` of these events, evenly out of all."""
    if len(events) < count:
        raise LabError(
            f"the lab has {len(events)} events that fit, not {count}",
            hint="choose fewer with count=, or start a lab with more payments",
        )
    return [events[index * len(events) // count] for index in range(count)]


def lose(lab: Lab, events: Sequence[Event], fate: Fate) -> None:
    """Have every side show this fate of these events."""
    keep(lab, events)
    ids = [event["id"] for event in events]
    with lab.postgres.transaction():
        if not fate.moved:
            forget(lab, events)
        if fate.logged is None:
            _unlog(lab, ids)
        elif fate.logged:
            log = mapping(lab).event_log
            if log is not None:
                set_columns(lab, log.table, log.columns.event_id, ids, fate.logged)
    if not fate.seen and (keys := dedupe_keys(lab, ids)):
        lab.redis.delete(*keys)
    if fate.owed:
        owe(lab, events, fate)


def keep(lab: Lab, events: Sequence[Event]) -> None:
    """Remember, for `find_again`, all that is known of these events and their payments."""
    ids = [event["id"] for event in events]
    log = mapping(lab).event_log
    lab.remember(
        held=[*ids, *filter(None, map(payment_of, events))],
        tables=known_of(lab, events),
        events=rows_of(lab, log.table, log.columns.event_id, ids) if log else [],
        keys=strings_with_expiry(lab, dedupe_keys(lab, ids)),
        stripe_events=list(events),
        deliveries=[one for one in _deliveries(lab) if one["event"] in ids],
    )


def find_again(lab: Lab) -> None:
    """Restore what `keep` remembered; nothing happens where nothing was."""
    kept = lab.recall()
    if "stripe_events" not in kept:
        return
    made = kept.get("made", [])
    log, ids = mapping(lab).event_log, [*(event["id"] for event in kept["stripe_events"]), *made]
    lab.stripe.put("/objects", kept["stripe_events"])
    lab.stripe.put("/objects", {"remove": made})
    lab.stripe.put("/deliveries", {"remove": ids, "set": kept.get("deliveries", [])})
    if keys := dedupe_keys(lab, made):
        lab.redis.delete(*keys)
    put_back_strings(lab, kept["keys"])
    with lab.postgres.transaction():
        # Whoever sent the events again meanwhile (`payops webhooks replay`) made rows of their own.
        refunds = [row["processor_ref"] for row in kept["tables"].get("refunds", ())]
        if refunds:
            lab.postgres.execute("DELETE FROM refunds WHERE processor_ref = ANY(%s)", (refunds,))
        for table, rows in kept["tables"].items():
            put_back(lab, table, rows)
        if log:
            _unlog(lab, ids)
            put_back(lab, log.table, kept["events"])


def _deliveries(lab: Lab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lab.stripe.get("/deliveries?limit=100000")["deliveries"]
    return found


def dedupe_keys(lab: Lab, events: Sequence[str]) -> list[str]:
    """The Redis keys by which the system knows that it had these events."""
    pattern = lab.system.dedupe
    return [pattern.format(event=event) for event in events] if pattern else []


def _unlog(lab: Lab, ids: Sequence[str]) -> None:
    log = mapping(lab).event_log
    if log is not None:
        lab.postgres.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(
                sql.Identifier(log.table), sql.Identifier(log.columns.event_id)
            ),
            (list(ids),),
        )


def owe(lab: Lab, events: Sequence[Event], fate: Fate, *, endpoints: Sequence[str] = ()) -> None:
    """Have Stripe say that endpoints (the shop's own one) have not accepted them, and try again."""
    owed_to = endpoints or (lab.endpoint["id"],)
    lab.stripe.put("/objects", [{**event, "pending_webhooks": len(owed_to)} for event in events])
    lab.stripe.put(
        "/deliveries",
        {
            "set": [
                {
                    "event": event["id"],
                    "endpoint": endpoint,
                    "state": "pending",
                    "attempts": 5,
                    "next_at": time.time() + _NEXT_TRY_S,
                    "last_status": fate.status,
                    "last_error": fate.error,
                }
                for event in events
                for endpoint in owed_to
            ]
        },
    )


def undelivered(
    lab: Lab, *, status: int | None = None, error: str | None = None, waiting: int = WAITING
) -> None:
    """Lose the recent events at the endpoint, which answers `status`, or fails with `error`.

    Where other scenarios have the newest payments, events of no meaning are made that are newer: an
    endpoint that takes nothing now has not taken the newest either.
    """
    fate = Fate(owed=True, status=status, error=error)
    lose(lab, recent(lab, waiting=waiting), fate)
    if lab.held():
        newest = _of_no_meaning(lab)
        ids = [event["id"] for event in newest]
        lab.remember(held=[*lab.recall()["held"], *ids], made=ids)
        owe(lab, newest, fate)


def _of_no_meaning(lab: Lab) -> list[Event]:
    """Events that move no ledger, of a type that the endpoint is registered for: of a minute ago,
    which is judged at once, and of just now."""
    registered, now = lab.system.front.events, int(time.time())
    kind = "product.updated" if "*" in registered else "charge.failed"
    if not {"*", kind} & set(registered):
        raise LabError(f"{lab.info.preset}'s endpoint is registered for no event of no meaning")
    about = kind.partition(".")[0]
    return [
        {
            "id": f"evt_{derived_token(f'{lab.scenario} {now} {age}', 24)}",
            "object": "event",
            "type": kind,
            "created": now - age,
            "livemode": lab.info.environment == "production",
            "api_version": lab.endpoint["api_version"],
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": {"id": f"{about[:4]}_lab{age}", "object": about}},
        }
        for age in (70, 68, 66, 3, 2, 1)
    ]


def never_sent(lab: Lab, types: Collection[str] = (), *, waiting: int = WAITING) -> None:
    """Have Stripe never have sent the recent events, of these types if given."""
    lose(lab, recent(lab, types, waiting=waiting), Fate())


# ── the application itself, for what comes from now on ───────────────────────────────────────────


def break_webhook(lab: Lab, fault: str, **more: Any) -> None:
    """Set a fault of the application's webhook beside those that are there."""
    told = {"fault": fault, "by": lab.scenario, **more}
    lab.merchant.put("/faults", {"webhook": [*_webhook_faults(lab), told]})


def mend_webhook(lab: Lab) -> None:
    """Lift the faults that this scenario set."""
    faults = _webhook_faults(lab)
    others = [one for one in faults if not isinstance(one, dict) or one["by"] != lab.scenario]
    if len(others) < len(faults):
        lab.merchant.put("/faults", {"webhook": others or None})


def _webhook_faults(lab: Lab) -> list[Any]:
    found = lab.merchant.get("/state")["faults"]["webhook"]
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def heal(lab: Lab) -> None:
    """Undo `lose` and `break_webhook`: all that most scenarios need."""
    find_again(lab)
    mend_webhook(lab)
