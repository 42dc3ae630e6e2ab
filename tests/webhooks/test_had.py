"""Which of the events that Stripe owes this side has had."""

from __future__ import annotations

from typing import Any

import pytest

from payops.domain.webhook import Moved
from payops.webhooks.had import had_of
from webhooks.paths import ago, event, path

HOUR = 3600
NEVER = {"logged": "", "received_at": None, "processed_at": None, "seen": None, "times": 0}


def told(*, marked_before: bool = False, sent: bool = False, **given: Any) -> str:
    owed = event("evt_1", pending_webhooks=1, age=HOUR, **given)
    ids = frozenset({"evt_1"} if sent else ())
    had = had_of(path(owed, sent_again=ids), marked_before=marked_before)
    assert not had.since & had.at_once
    return "since" if had.since else "at once" if had.at_once else "never"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NEVER | {"moved": Moved.NOT_TOLD}, "never"),
        (NEVER | {"moved": Moved.NO_ROW}, "never"),
        (NEVER | {"moved": Moved.YES}, "since"),
        (NEVER | {"moved": Moved.YES, "processed_at": ago(HOUR - 60)}, "at once"),
        (NEVER | {"moved": Moved.YES, "processed_at": ago(HOUR - 61)}, "since"),
        (NEVER | {"moved": Moved.NOT_TOLD, "seen": True}, "since"),
        (NEVER | {"moved": Moved.NOT_TOLD, "seen": True, "marked_before": True}, "never"),
        (NEVER | {"moved": Moved.NOT_TOLD, "sent": True}, "since"),
        # The ledger shows that it is not so.
        (NEVER | {"moved": Moved.NO, "seen": True}, "never"),
        (NEVER | {"moved": Moved.NO, "sent": True}, "never"),
        ({"logged": "handled", "processed_at": ago(60)}, "since"),
        ({"logged": "handled", "processed_at": ago(HOUR - 1)}, "at once"),
        ({"logged": "handled", "processed_at": ago(HOUR - 1), "sent": True}, "since"),
        ({"logged": "handled", "processed_at": ago(60), "moved": Moved.NO}, "never"),
        ({"logged": "handled", "processed_at": ago(60), "moved": Moved.NO_ROW}, "since"),
        ({"logged": "failed", "processed_at": None, "moved": Moved.YES}, "never"),
        ({"logged": "waiting", "processed_at": None, "sent": True}, "never"),
    ],
)
def test_what_was_had(given: dict[str, Any], expected: str) -> None:
    assert told(**given) == expected
