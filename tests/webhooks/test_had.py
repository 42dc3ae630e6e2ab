"""Which of the events that Stripe owes this side has had."""

from __future__ import annotations

from typing import Any

import pytest

from payops.domain.webhook import Cause, Moved, PathEvent
from payops.webhooks.classify import Ground, classify
from payops.webhooks.had import had_of, owed_in_name
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
        (NEVER | {"moved": Moved.YES, "processed_at": ago(HOUR - 1)}, "since"),
        (NEVER | {"moved": Moved.NOT_TOLD, "seen": True}, "since"),
        (NEVER | {"moved": Moved.NOT_TOLD, "seen": True, "marked_before": True}, "never"),
        (NEVER | {"moved": Moved.NOT_TOLD, "sent": True}, "since"),
        # The ledger shows that it is not so.
        (NEVER | {"moved": Moved.NO, "seen": True}, "never"),
        (NEVER | {"moved": Moved.NO, "sent": True}, "never"),
        ({"logged": "handled", "processed_at": ago(60)}, "since"),
        ({"logged": "handled", "processed_at": ago(HOUR - 60)}, "at once"),
        ({"logged": "handled", "processed_at": ago(HOUR - 61)}, "since"),
        ({"logged": "handled", "processed_at": ago(HOUR - 1), "sent": True}, "since"),
        ({"logged": "handled", "processed_at": ago(60), "moved": Moved.NO}, "never"),
        ({"logged": "handled", "processed_at": ago(60), "moved": Moved.NO_ROW}, "since"),
        ({"logged": "failed", "processed_at": None, "moved": Moved.YES}, "never"),
        ({"logged": "waiting", "processed_at": None, "sent": True}, "never"),
    ],
)
def test_what_was_had(given: dict[str, Any], expected: str) -> None:
    assert told(**given) == expected


def owed(id_: str, **given: Any) -> PathEvent:
    return event(id_, **{"pending_webhooks": 1, "age": HOUR, **NEVER, **given})


def test_a_ledger_that_has_its_rows_from_answers_says_nothing_while_events_are_lost() -> None:
    shown = owed("evt_1", moved=Moved.YES, processed_at=ago(HOUR - 1))
    lost = owed("evt_2", moved=Moved.NOT_TOLD)
    assert had_of(path(shown, lost), marked_before=False).at_once == {"evt_1"}
    again = path(shown, lost, sent_again=frozenset({"evt_2"}))
    assert had_of(again, marked_before=False).since == {"evt_1", "evt_2"}


@pytest.mark.parametrize(
    ("others", "sent", "expected"),
    [
        ((), {"evt_1"}, {"evt_1", "evt_2"}),
        ((), set(), set()),  # nobody has repaired anything
        ((owed("evt_3", moved=Moved.NOT_TOLD),), {"evt_1"}, {"evt_1"}),
        ((owed("evt_3", moved=Moved.NO),), {"evt_1"}, {"evt_1"}),
        ((owed("evt_3", moved=Moved.NO, age=59),), {"evt_1"}, {"evt_1", "evt_2"}),
        ((event("evt_3"),), {"evt_1"}, {"evt_1", "evt_2"}),
    ],
)
def test_what_stripe_alone_owes(
    others: tuple[PathEvent, ...], sent: set[str], expected: set[str]
) -> None:
    two = (owed("evt_1", moved=Moved.NOT_TOLD), owed("evt_2", moved=Moved.YES))
    assert owed_in_name(path(*two, *others), frozenset(sent)) == expected


def test_what_was_sent_again_and_moved_nothing_is_swallowed() -> None:
    one = owed("evt_1", moved=Moved.NO)
    (verdict,) = classify(Ground(path(one, sent_again=frozenset({"evt_1"}))))
    assert verdict.cause is Cause.SWALLOWED
