"""Rates, runs and lags, and what the funnel leaves out."""

from __future__ import annotations

from datetime import timedelta

from payops.domain.webhook import Moved
from payops.webhooks.funnel import delivery, lags, stages
from payops.webhooks.path import Part
from webhooks.paths import ALL, ago, event, lost, path


def test_nothing_happened() -> None:
    assert delivery(path()).success is None
    assert lags(path()) == []
    assert stages(path())[0].count == 0


def test_success_leaves_out_what_is_on_its_way() -> None:
    found = delivery(path(event("a"), event("b"), lost("c", pending_webhooks=1), lost("d", age=5)))
    assert (found.settled, found.pending, found.in_flight) == (3, 1, 1)
    assert found.success is not None
    assert round(found.success, 1) == 66.7


def test_runs_and_hours() -> None:
    """Four in a row within two hours, three of them within one."""
    owed = [lost(f"o{n}", age=9000 - n * 1500, pending_webhooks=1) for n in range(4)]
    found = delivery(path(event("a", age=9100), *owed, event("b", age=100)))
    assert (found.row, found.hour) == (4, 3)


def test_a_success_between_ends_a_run() -> None:
    owed = [lost(f"o{n}", age=600 - 100 * n, pending_webhooks=1) for n in (0, 1, 3)]
    assert delivery(path(*owed, event("a", age=350))).row == 2


def test_undelivered_events_of_other_types_are_not_held_against_none() -> None:
    other = lost("o", type="invoice.paid", pending_webhooks=1)
    found = delivery(path(event("a"), other, types=("payment_intent.succeeded",)))
    assert (found.settled, found.pending) == (1, 0)


def test_lags_with_clocks_set_right() -> None:
    """The database is a minute ahead: what it received at once it seems to have had later."""
    events = [
        event(f"e{n}", age=1000, received_at=ago(1000 - 60 - n), processed_at=None)
        for n in range(1, 101)
    ]
    (lag,) = lags(path(*events, log_offset_s=60.0))
    assert lag.name == "received"
    assert lag.average == timedelta(seconds=50.5)
    assert (lag.p95, lag.longest) == (timedelta(seconds=95), timedelta(seconds=100))
    assert lag.newest == ago(840)


def test_a_lag_is_never_negative() -> None:
    """Stripe counts whole seconds, and clocks differ by less than one."""
    (lag, _) = lags(path(event(received_at=ago(3600.4))))
    assert lag.average == timedelta(0)


def test_stages_say_what_can_be_seen() -> None:
    untold = event("b", moved=Moved.NOT_TOLD, logged="failed")
    found = {each.name: (each.count, each.of) for each in stages(path(event("a"), untold))}
    assert found == {
        "created": (2, 2),
        "delivered": (2, 2),
        "received": (2, 2),
        "processed": (1, 2),
        "had": (0, 0),
        "in the ledger": (1, 1),
    }
    blind = stages(path(event("a"), asked=frozenset({Part.EVENTS})))
    assert [each.name for each in blind] == ["created", "delivered"]
    assert "received" not in {each.name for each in stages(path(asked=ALL - {Part.LOG}))}
