"""Every command that an advice names does what the advice says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from payops.domain.evidence import Action
from payops.domain.webhook import Cause, Moved, PathEvent
from payops.webhooks.advice import actions_for
from payops.webhooks.classify import Ground
from webhooks.paths import lost as event
from webhooks.paths import path


def advised(cause: Cause, *events: PathEvent, before: bool = False) -> tuple[Action, ...]:
    ground = replace(Ground(path()), marked_before=before)
    return actions_for(cause, events, ground, "", certain=True)


def commands(*actions: Action) -> list[str]:
    return [action.command for action in actions if action.command]


def test_what_would_be_answered_as_a_duplicate_is_not_sent_again() -> None:
    """`replay` leaves out an event whose key is set once it was handled."""
    first, *rest = commands(*advised(Cause.SWALLOWED, event(seen=True, moved=Moved.NO)))
    assert first.startswith("payops reconcile --since ")
    assert first.endswith(" --save-plan rows.json")
    assert rest == ["payops apply rows.json"]


def test_what_has_no_key_left_is_sent_again() -> None:
    for seen in (None, False):
        first, second = commands(*advised(Cause.SWALLOWED, event(seen=seen, moved=Moved.NO)))
        assert first.startswith("payops webhooks replay --since ")
        assert second.startswith("payops reconcile ")


def test_where_the_key_is_set_first_it_is_sent_again() -> None:
    """`replay` clears the key of such a system in the same plan."""
    found = advised(Cause.SWALLOWED, event(seen=True, moved=Moved.NO), before=True)
    assert commands(*found)[0].startswith("payops webhooks replay ")


def test_of_both_kinds_each_gets_its_own() -> None:
    both = (event("evt_1", seen=True, moved=Moved.NO), event("evt_2", moved=Moved.NO))
    found = advised(Cause.SWALLOWED, *both)
    assert [command.split()[1] for command in commands(*found)] == [
        "webhooks",
        "reconcile",
        "apply",
    ]
    assert any("1 of them" in action.text for action in found)


def test_what_the_ledger_shows_is_not_to_be_sent() -> None:
    """A payment that failed while the endpoint was disabled, and that the application saw fail."""
    shown = event(type="payment_intent.payment_failed", moved=Moved.YES)
    for cause in (Cause.DISABLED, Cause.NOT_SUBSCRIBED):
        assert commands(*advised(cause, shown)) == []
        (command,) = commands(*advised(cause, shown, event("evt_2", moved=Moved.NO)))
        assert command.endswith(" --type payment_intent.succeeded")


def test_what_came_late_is_not_the_handlers_fault() -> None:
    late = event()
    came = late.created + timedelta(hours=2)
    (action,) = advised(Cause.LATE, replace(late, received_at=came, processed_at=came))
    assert "came late" in action.text
    (action,) = advised(Cause.LATE, replace(late, received_at=late.created, processed_at=came))
    assert "handler is slow" in action.text
