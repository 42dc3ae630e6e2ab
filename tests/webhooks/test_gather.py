"""What is gathered, on a lab: window's edges, filters, deadlines, and what each source costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest

from payops.config.load import load
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.webhook import Moved
from payops.domain.window import Window
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.sources import Sources
from payops.webhooks.gather import gather, known
from payops.webhooks.ledger import shown
from payops.webhooks.path import Part


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("gather") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=60))
    laboratory.down(directory)


@pytest.fixture
def settings(lab: LabInfo) -> Settings:
    return load(lab.config).settings


@pytest.fixture
def sources(settings: Settings) -> Iterator[Sources]:
    made = Sources(settings, Deadline.after(60))
    yield made
    made.close()


def day(**before: float) -> Window:
    now = datetime.now(UTC)
    return Window(now - timedelta(hours=48), now - timedelta(**before))


def test_all_parts_are_asked(settings: Settings, sources: Sources) -> None:
    found = gather(settings, sources, day(), objects=True)
    assert found.failures == {}
    assert found.asked == frozenset(Part)
    assert found.never_generated == ()
    assert found.strangers == ()
    assert {event.logged for event in found.events} == {"handled"}
    assert {event.moved for event in found.events} == {Moved.YES}
    assert {event.type for event in found.events} <= set(settings.webhooks.needs)
    assert list(found.events) == sorted(found.events, key=lambda each: (each.created, each.id))


def test_all_types_where_none_are_named(settings: Settings, sources: Sources) -> None:
    found = gather(settings, sources, day(), types=())
    assert {event.type for event in found.events} > {"charge.succeeded", "payment_intent.created"}
    assert found.types == ()


def test_more_types_than_stripe_takes_are_all(settings: Settings, sources: Sources) -> None:
    many = [f"made.up.{number}" for number in range(21)]
    assert gather(settings, sources, day(), types=many).events != ()
    assert gather(settings, sources, day(), types=["charge.*"]).types == ()


def test_the_windows_edges_are_those_of_the_events_making(
    settings: Settings, sources: Sources
) -> None:
    """An event's row is one or two seconds younger than the event: the window is not asked of it,
    so an event just before the window stays out though its row lies inside, and one in its last
    second is in with its row outside."""
    events = gather(settings, sources, day()).events
    middle = events[len(events) // 2]
    end = max(event.created for event in events) + timedelta(seconds=1)
    second = timedelta(seconds=1)
    from_it = gather(settings, sources, Window(middle.created, end))
    assert middle.id in {event.id for event in from_it.events}
    after_it = gather(settings, sources, Window(middle.created + second, end))
    assert middle.id not in {event.id for event in after_it.events}
    assert after_it.strangers == ()
    start = min(event.created for event in events)
    up_to_it = gather(settings, sources, Window(start, middle.created + second))
    (last,) = [event for event in up_to_it.events if event.id == middle.id]
    assert last.logged == "handled"
    assert last.received_at is not None
    assert last.received_at >= middle.created


def test_undelivered_alone(lab: LabInfo, settings: Settings, sources: Sources) -> None:
    laboratory.inject(Path(lab.dir), "webhook-login-wall")
    try:
        found = gather(settings, sources, day(), undelivered=True)
        assert found.events != ()
        assert all(event.pending_webhooks > 0 for event in found.events)
    finally:
        laboratory.heal(Path(lab.dir))


def test_what_a_probe_left_in_the_log_is_no_stranger(
    lab: LabInfo, settings: Settings, sources: Sources
) -> None:
    """A signed probe of an endpoint whose worker is dead stays there as it was received."""
    left = ("evt_payops_probe_1", "evt_of_another_account")
    with psycopg.connect(lab.postgres_dsn, autocommit=True) as connection:
        for each in left:
            connection.execute(
                "INSERT INTO webhook_events (event_id, type, payload) VALUES (%s, %s, '{}')",
                (each, "product.updated"),
            )
        try:
            found = gather(settings, sources, day())
        finally:
            connection.execute("DELETE FROM webhook_events WHERE event_id = ANY(%s)", (list(left),))
    assert [event.id for event in found.strangers] == [left[1]]


def test_what_the_budget_is_too_short_for_is_no_silence_of_stripes(settings: Settings) -> None:
    """Stripe answers: what was not read in time is not told, and the hint says what helps."""
    assert settings.stripe is not None
    stripe = msgspec.structs.replace(settings.stripe, max_requests_per_second=1)
    slow = msgspec.structs.replace(settings, stripe=stripe)
    made = Sources(slow, Deadline.after(3))
    try:
        found = gather(slow, made, day(), objects=True)
    finally:
        made.close()
    failure = found.failures[Part.OBJECTS]
    assert isinstance(failure, SourceError)
    assert (failure.kind, failure.does_not_answer) == (Failure.RATE_LIMITED, False)
    assert "at most 1 a second" in failure.message
    assert "--no-objects" in failure.hint


def test_events_read_elsewhere(settings: Settings, sources: Sources) -> None:
    events = gather(settings, sources, day()).events[:5]
    bare = [
        replace(each, logged="", moved=Moved.NOT_TOLD, received_at=None, local_id="")
        for each in events
    ]
    found = known(settings, sources, bare, datetime.now(UTC))
    assert found.events == events


def test_what_the_ledger_shows(settings: Settings, sources: Sources) -> None:
    events = gather(settings, sources, day()).events
    told = shown(settings, sources, events)
    assert set(told) == {event.id for event in events}
    assert {moved for moved, _ in told.values()} == {Moved.YES}
    assert all(local_id for _, local_id in told.values())
    nobody = replace(events[0], payment_intent="pi_nobody", object_id="pi_nobody", named_id="")
    assert shown(settings, sources, [nobody]) == {nobody.id: (Moved.NO_ROW, "")}


def test_a_row_is_found_by_what_the_metadata_names(settings: Settings, sources: Sources) -> None:
    event = next(each for each in gather(settings, sources, day()).events if each.named_id)
    elsewhere = replace(event, payment_intent="pi_nobody", object_id="pi_nobody")
    assert shown(settings, sources, [elsewhere])[event.id] == (Moved.YES, event.local_id)


def test_names_from_outside_are_data(settings: Settings, sources: Sources) -> None:
    event = gather(settings, sources, day()).events[0]
    hostile = replace(
        event, payment_intent="pi_'; DROP TABLE payments; --\0", object_id="x\0", named_id="1'"
    )
    assert shown(settings, sources, [hostile])[event.id] == (Moved.NO_ROW, "")


def test_nothing_outlives_the_deadline(settings: Settings) -> None:
    made = Sources(settings, Deadline.after(0.2))
    began = time.monotonic()
    try:
        found = gather(settings, made, day(), types=(), objects=True)
    finally:
        made.close()
    assert time.monotonic() - began < 3
    assert all(isinstance(each, SourceError) for each in found.failures.values())


def test_nothing_configured_is_a_value_too() -> None:
    bare = Settings()
    made = Sources(bare, Deadline.after(5))
    found = gather(bare, made, day())
    assert isinstance(found.failures[Part.EVENTS], NotConfiguredError)
    assert found.events == ()
