"""Events that an older one undid, because it was processed after them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from payops.domain.webhook import Moved, PathEvent
from payops.webhooks.told import rank, words_of


def overtaken_by(events: Iterable[PathEvent]) -> dict[str, PathEvent]:
    """Events whose state an older event of the same payment took away again, with that one.

    Seen by the log alone: the ledger shows what the older one tells, and that was handled later.
    """
    of_payment: dict[str, list[PathEvent]] = defaultdict(list)
    for event in events:
        if event.processed_at is not None and event.payment_intent:
            of_payment[event.payment_intent].append(event)
    found: dict[str, PathEvent] = {}
    for its in of_payment.values():
        its.sort(key=lambda each: (each.created, rank(each)))
        for number, newer in enumerate(its):
            if newer.moved is not Moved.NO:
                continue
            for older in its[:number]:
                if _tells(older, newer.local_state) and _after(older, newer):
                    found[newer.id] = older
    return found


def _tells(event: PathEvent, state: str) -> bool:
    if event.type == "payment_intent.created":
        return state == "pending"
    return any(word.value == state for word in words_of(event))


def _after(one: PathEvent, other: PathEvent) -> bool:
    return (
        one.processed_at is not None
        and other.processed_at is not None
        and one.processed_at >= other.processed_at
    )
