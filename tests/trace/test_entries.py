"""The story as lines: what is expected, what is missing, what is never shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from payops.domain.timeline import Clock, Happened
from payops.sources.event_log import LogRow
from payops.trace.entries import timeline
from payops.trace.meanings import INTENT, of_intent
from payops.trace.story import RedisKey, Story, Unmade, Way
from reconcile.merchant import NOW
from stories import at, charge, event, intent, refund, row, story


def lines(told: Story, happened: Happened) -> list[str]:
    return [one.what for one in timeline(told) if one.happened is happened]


def log_row(**changes: Any) -> LogRow:
    base: dict[str, Any] = {
        "event_id": "evt_1", "type": "payment_intent.succeeded", "status": "processed",
        "processed": None, "received_at": at(2), "processed_at": at(3), "attempts": 1,
        "error": None,
    }  # fmt: skip
    return LogRow(**{**base, **changes})


def test_a_healthy_story_lacks_nothing() -> None:
    told = story(logged={"evt_1": (log_row(),)}, log_seen=True)
    assert lines(told, Happened.MISSING) == lines(told, Happened.DUE) == []
    kinds = [one.kind for one in timeline(told)]
    assert kinds == [
        "row.created", "intent.created", "charge.succeeded", "event.payment_intent.succeeded",
        "event.received", "row.changed", "event.handled", "intent.succeeded",
    ]  # fmt: skip


def test_an_event_that_should_have_been_received() -> None:
    told = story(events=(event(pending_webhooks=1),), log_seen=True)
    (line,) = lines(told, Happened.MISSING)
    assert line == f"payment_intent.succeeded should have been received by {at(31):%H:%M:%S}"
    way = {"evt_1": Way("endpoint-unreachable", "", "not delivered")}
    (line,) = lines(story(events=(event(pending_webhooks=1),), ways=way), Happened.MISSING)
    assert line.endswith(": not delivered")


def test_an_event_that_is_not_late_yet_is_expected() -> None:
    just = int((NOW - timedelta(seconds=5)).timestamp())
    told = story(events=(event(created=just, pending_webhooks=1),))
    assert lines(told, Happened.MISSING) == []
    (line,) = lines(told, Happened.DUE)
    assert "should be received by" in line


def test_an_event_that_waits_in_the_log() -> None:
    waiting = log_row(status="processing", processed_at=None, error="KeyError: 'metadata'")
    told = story(logged={"evt_1": (waiting,)}, log_seen=True)
    (line,) = lines(told, Happened.MISSING)
    assert line.startswith("payment_intent.succeeded should have been handled by")
    assert line.endswith("KeyError: 'metadata'")


def test_what_stripe_never_made_and_what_was_never_written() -> None:
    told = story(rows=(), events=(), unmade=(Unmade("payment_intent.succeeded", at(1), "pi_1"),))
    missing = lines(told, Happened.MISSING)
    assert len(missing) == 2
    assert "should have been made and received" in missing[0] + missing[1]
    assert "a row of the ledger should have been there" in missing[0] + missing[1]


@pytest.mark.parametrize(
    ("status", "comes"),
    [
        ("processing", "payment_intent.succeeded"),
        ("requires_action", "authentication"),
        ("requires_capture", "capture"),
    ],
)
def test_what_comes_next(status: str, comes: str) -> None:
    told = story(
        intent=intent(status=status, amount_received=0), charges=(), rows=(row(status="pending"),)
    )
    assert any(comes in line for line in lines(told, Happened.DUE))


def test_every_status_of_an_intent_has_a_meaning() -> None:
    """S1-09; payment_failed, which the runbook lists with them, is an event."""
    assert set(INTENT) == {
        "requires_payment_method", "requires_confirmation", "requires_action", "processing",
        "requires_capture", "canceled", "succeeded",
    }  # fmt: skip
    assert "no state" in of_intent("payment_failed")
    assert of_intent("brand_new") == ""


def test_a_decline_tells_what_the_bank_said() -> None:
    declined = charge(
        status="failed",
        amount_captured=0,
        failure_code="card_declined",
        outcome={"network_status": "declined_by_network", "reason": "do_not_honor"},
        payment_method_details={
            "type": "card",
            "card": {"brand": "visa", "last4": "4242", "three_d_secure": {"result": "failed"}},
        },
    )
    told = timeline(story(charges=(declined,)))
    (line,) = [one.what for one in told if one.kind == "charge.failed"]
    assert "visa …4242, refused by the bank, card_declined (do_not_honor)" in line
    assert any(one.kind == "3ds.failed" for one in told)


def test_the_account_of_a_failed_refund_does_not_move() -> None:
    told = timeline(story(refunds=(refund(status="failed"),)))
    (line,) = [one for one in told if one.kind == "refund.failed"]
    assert line.moves == ()


def test_prior_values_come_from_the_audit_and_others_are_not_shown() -> None:
    audit = {
        "row": "row-1", "at": at(3).isoformat(), "action": "update", "column": None, "old": None,
        "new": None,
        "changes": '{"status": {"old": "pending", "new": "completed"}, "metadata": null}',
    }  # fmt: skip
    told = story(audits=(("audit", audit),), shown=frozenset({"status"}))
    (line,) = [one for one in timeline(told) if one.kind == "audit.update"]
    assert "status pending → completed" in line.what
    assert "metadata changed (its value is not shown)" in line.what
    assert (line.status, line.detail["old.status"]) == ("completed", "pending")


def test_keys_of_redis_stand_where_their_ttl_says() -> None:
    keys = (
        RedisKey("idempotency:k", True, 80_000, "row-1", "idempotency", at(-1)),
        RedisKey("stripe_event:evt_1", True, 80_000, "", "evt_1", at(2)),
        RedisKey("stripe_event:evt_2", False, None, "", "evt_2", None),
    )
    told = timeline(story(redis_keys=keys))
    seen = [one for one in told if one.source == "redis"]
    assert [one.kind for one in seen] == ["key.idempotency", "key.dedupe"]
    assert "holds row-1" in seen[0].what
    assert "payment_intent.succeeded was had" in seen[1].what


def test_a_skewed_clock_moves_its_own_times_alone() -> None:
    clocks = {"stripe": Clock("stripe", 60, 0.1), "postgres": Clock("postgres", 0.2, 0.1)}
    told = timeline(story(clocks=clocks))
    moved = {one.kind for one in told if one.told_at is not None}
    assert "charge.succeeded" in moved
    assert not any(kind.startswith("row.") for kind in moved)
