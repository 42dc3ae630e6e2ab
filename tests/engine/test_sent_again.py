"""What payops sent itself is not the next incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from payops.engine.sent_again import accepted
from payops.webhooks.classify import Ground, Place, classify
from payops.webhooks.funnel import delivery, lags
from webhooks.paths import ago, event, lost, path

SINCE = datetime(2026, 2, 9, tzinfo=UTC)


def outcome(change: str, **more: Any) -> dict[str, Any]:
    at = "2026-02-09T01:00:00.000Z"
    return {"kind": "outcome", "change": change, "result": "done", "at": at, **more}


def test_what_was_accepted_since() -> None:
    entries = [
        outcome("replay:evt_1"),
        outcome("replay:evt_failed", result="failed"),
        outcome("replay:evt_old", at="2026-02-08T23:59:59.999Z"),
        outcome("replay:evt_begun", kind="intent"),
        outcome("circuit.reset:stripe"),
        {"kind": "end", "at": "2026-02-09T01:00:00.000Z"},
    ]
    assert accepted(entries, SINCE, ()) == {"evt_1"}


def test_what_was_sent_to_another_system_is_none_of_ours() -> None:
    def sending(seq: int, to: str) -> list[dict[str, Any]]:
        change = f"replay:evt_{seq}"
        intent = {"kind": "intent", "seq": seq, "change": change, "statement": f"POST {to}  -- it"}
        return [intent, outcome(change, intent=seq)]

    ours, theirs = "https://shop.example.com/hooks", "https://shop.example.com/hooks-2"
    entries = [*sending(1, ours), *sending(2, theirs), *sending(3, "/v1/events/evt_3/retry")]
    assert accepted(entries, SINCE, [ours]) == {"evt_1", "evt_3"}


def test_it_is_handled_late_for_that_reason_alone() -> None:
    late = event("a", age=7200, processed_at=ago(60))
    seen = path(late)
    (verdict,) = classify(Ground(seen))
    assert verdict.place is Place.LOST
    again = replace(seen, sent_again=frozenset({"a"}))
    (verdict,) = classify(Ground(again))
    assert verdict.place is Place.DONE
    assert max(lag.longest for lag in lags(seen)) > timedelta(hours=1)
    assert lags(again) == []


def test_stripe_owes_it_still_and_nobody_else_does() -> None:
    owed = [lost(f"o{n}", age=3600 - n, pending_webhooks=1) for n in range(5)]
    seen = path(*owed, event("a", age=100), sent_again=frozenset({"o0", "o1", "o4"}))
    found = delivery(seen)
    assert (found.settled, found.pending, found.sent_again) == (6, 2, 3)
    assert (found.row, found.hour) == (2, 2)
