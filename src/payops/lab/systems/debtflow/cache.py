"""What DebtFlow leaves in Redis: Django's cache, whose keys begin with `:1:` and whose values are
pickled (protocol 5), but for integers."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta

from payops.lab.history import History
from payops.lab.systems.system import Strings

_DAY_S = 86_400
_CLOSED_FOR_S = 600  # record_success: ten windows of 60 s


def strings(history: History) -> Strings:
    """Idempotency keys and seen events of the last day, and the breaker, closed by a success."""
    until = history.plan.until

    def left(since: datetime, seconds: int) -> int:
        return int((since + timedelta(seconds=seconds) - until).total_seconds())

    found: dict[str, tuple[str | bytes, int | None]] = {}
    for story in history.stories.payments:
        seconds = left(story.row_created_at, _DAY_S)
        if seconds > 0:
            key = f":1:idempotency:{story.idempotency_key}"
            found[key] = (_pickled(str(story.payment_id)), seconds)
    for row in history.webhook_events:
        seconds = left(row.received_at, _DAY_S)
        if seconds > 0:
            found[f":1:stripe_event:{row.event_id}"] = (_pickled(True), seconds)
    last = max((story.row_created_at for story in history.stories.payments), default=None)
    if last is not None and (seconds := left(last, _CLOSED_FOR_S)) > 0:
        found[":1:circuit_breaker:stripe:state"] = (_pickled("closed"), seconds)
    return found


def _pickled(value: object) -> bytes:
    return pickle.dumps(value, protocol=5)
