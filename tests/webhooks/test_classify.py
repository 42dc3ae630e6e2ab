"""Each event in one place, by one cause: a table a cause, and properties over all of them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.webhook import Cause, Moved, PathEvent
from payops.webhooks.classify import Ground, Place, classify
from payops.webhooks.path import Part, Unchanged
from webhooks.paths import (
    ALL,
    NEEDS,
    NOW,
    ago,
    asked,
    cause_of,
    endpoint,
    event,
    lost,
    path,
)

NO_LOG = ALL - {Part.LOG}
NO_LOG_NO_KEYS = NO_LOG - {Part.KEYS}


def owed(id_: str = "evt_1", **given: Any) -> PathEvent:
    """An event that the endpoint has not taken."""
    return lost(id_, pending_webhooks=1, **given)


def test_all_is_well() -> None:
    assert cause_of(event()) is Place.DONE


# ── on its way: never blamed on anybody ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "found",
    [
        owed(age=59),
        lost(age=59),
        lost(age=-2),  # Stripe's clock is ahead of what was asked
        lost(logged="waiting", received_at=ago(299), age=400),
        lost(logged="failed", received_at=ago(59), age=60, pending_webhooks=1),
        event(moved=Moved.NO, processed_at=ago(30), age=85),
    ],
)
def test_what_may_be_on_its_way_is_not_lost(found: PathEvent) -> None:
    assert cause_of(found) in {Place.IN_FLIGHT, Place.DONE}


def test_a_minute_old_it_is_judged() -> None:
    assert cause_of(owed(age=60), asked_them=asked(Cause.FAILS, "HTTP 500")) is Cause.FAILS


# ── what the endpoint answers ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cause", "detail"),
    [
        (Cause.UNREACHABLE, "connection refused"),
        (Cause.UNREACHABLE, "name not resolved"),
        (Cause.UNREACHABLE, "TLS failed"),
        (Cause.UNREACHABLE, "timed out"),
        (Cause.REDIRECTS, "HTTP 308 to https://www.example.com/"),
        (Cause.FORBIDS, "HTTP 403"),
        (Cause.FAILS, "HTTP 500"),
        (Cause.SIGNATURE, "wrong secret"),
    ],
)
def test_what_is_owed_is_blamed_on_what_the_endpoint_answers(cause: Cause, detail: str) -> None:
    ground = Ground(path(owed()), asked(cause, detail), NEEDS)
    (found,) = classify(ground)
    assert (found.cause, found.detail, found.certain) == (cause, detail, True)


def test_a_signature_is_blamed_by_elimination_alone_and_that_is_said() -> None:
    (found,) = classify(Ground(path(owed()), asked(), NEEDS))
    assert (found.cause, found.certain) == (Cause.SIGNATURE, False)


def test_no_signature_is_blamed_once_a_signed_one_was_taken() -> None:
    (found,) = classify(Ground(path(owed()), asked(signed=True), NEEDS))
    assert (found.cause, found.certain) == (Cause.UNDELIVERED, True)


def test_an_endpoint_that_takes_events_again_refuses_no_signatures() -> None:
    later = [event(f"evt_{number}", age=600 - number) for number in range(2, 5)]
    found = classify(Ground(path(owed(), *later), asked(), NEEDS))
    assert found[0].cause is Cause.UNDELIVERED
    one_by_hand = classify(Ground(path(owed(), later[0]), asked(), NEEDS))
    assert one_by_hand[0].cause is Cause.SIGNATURE


def test_nobody_asked_nothing_claimed() -> None:
    (found,) = classify(Ground(path(owed()), {}, NEEDS))
    assert (found.cause, found.certain) == (Cause.UNDELIVERED, False)


def test_types_that_nothing_is_kept_by_are_owed_all_the_same() -> None:
    """Another's order may hang on them, and the endpoint is as broken."""
    found = owed(type="invoice.paid", moved=Moved.NOT_TOLD)
    assert cause_of(found, asked_them=asked(Cause.FAILS, "HTTP 500")) is Cause.FAILS


# ── what Stripe never sent ───────────────────────────────────────────────────────────────────────


def test_disabled() -> None:
    off = (endpoint(enabled=False),)
    assert cause_of(lost(), endpoints=off) is Cause.DISABLED
    assert cause_of(owed(), endpoints=off) is Cause.DISABLED


def test_what_was_owed_before_it_was_disabled_has_its_own_cause() -> None:
    off = (endpoint(enabled=False),)
    answers = asked(Cause.FORBIDS, "HTTP 403")
    assert cause_of(owed(), endpoints=off, asked_them=answers) is Cause.FORBIDS
    assert cause_of(lost(), endpoints=off, asked_them=answers) is Cause.DISABLED


def test_a_second_endpoint_that_is_enabled_takes_it() -> None:
    both = (endpoint(enabled=False), endpoint("https://other.example.com/", id="we_2"))
    assert cause_of(lost(), endpoints=both) is Cause.SWALLOWED


def test_not_subscribed() -> None:
    others = (endpoint(types=("charge.refunded",)),)
    assert cause_of(lost(), endpoints=others) is Cause.NOT_SUBSCRIBED
    assert cause_of(lost(moved=Moved.YES), endpoints=others) is Cause.NOT_SUBSCRIBED


def test_not_subscribed_and_not_needed_is_no_loss() -> None:
    others = (endpoint(types=("charge.refunded",)),)
    found = lost(type="invoice.paid", moved=Moved.NOT_TOLD)
    assert cause_of(found, endpoints=others) is Place.NOT_NEEDED


# ── what arrived ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("word", ["waiting", "failed"])
@pytest.mark.parametrize("pending", [0, 1])
def test_received_and_not_processed(word: str, pending: int) -> None:
    found = lost(logged=word, received_at=ago(3599), pending_webhooks=pending)
    assert cause_of(found, asked_them=asked(Cause.FAILS, "HTTP 500")) is Cause.NOT_PROCESSED


def test_swallowed_the_log_says_handled_and_the_ledger_did_not_move() -> None:
    (found,) = classify(Ground(path(event(moved=Moved.NO, local_state="pending")), {}, NEEDS))
    assert (found.cause, found.certain) == (Cause.SWALLOWED, True)


def test_swallowed_without_a_trace_is_not_certain() -> None:
    (found,) = classify(Ground(path(lost()), {}, NEEDS))
    assert (found.cause, found.certain) == (Cause.SWALLOWED, False)


@pytest.mark.parametrize("moved", [Moved.NO_ROW, Moved.NOT_TOLD])
def test_handled_and_the_ledger_says_nothing_is_no_loss(moved: Moved) -> None:
    assert cause_of(event(moved=moved, local_id="")) is Place.DONE


def test_late() -> None:
    assert cause_of(event(processed_at=ago(3600 - 300))) is Place.DONE
    assert cause_of(event(processed_at=ago(3600 - 301))) is Cause.LATE


def test_late_by_the_databases_clock_alone_is_not_late() -> None:
    """The database is ten minutes ahead of Stripe."""
    ahead = event(processed_at=ago(3600 - 602), received_at=ago(3600 - 601))
    assert cause_of(ahead) is Cause.LATE
    assert cause_of(ahead, log_offset_s=600.0) is Place.DONE


def test_stuck_is_told_by_the_databases_own_clock() -> None:
    """Received a minute ago, by a database that is ten minutes behind."""
    waiting = lost(logged="waiting", received_at=ago(660), age=70)
    assert cause_of(waiting) is Cause.NOT_PROCESSED
    assert cause_of(waiting, log_offset_s=-600.0) is Place.IN_FLIGHT


def test_twice_by_the_rows() -> None:
    assert cause_of(event(times=2)) is Cause.TWICE


def test_twice_by_attempts_that_no_key_could_tell_apart() -> None:
    assert cause_of(event(attempts=2, seen=False)) is Cause.TWICE
    assert cause_of(event(attempts=2, seen=True)) is Place.DONE
    assert cause_of(event(attempts=2, seen=None)) is Place.DONE
    assert cause_of(event(attempts=1, seen=False)) is Place.DONE


def test_out_of_order() -> None:
    older = event(
        "evt_0",
        age=3601,
        type="payment_intent.processing",
        payment_intent="pi_1",
        processed_at=ago(3500),
    )
    newer = event(payment_intent="pi_1", moved=Moved.NO, local_state="processing")
    assert cause_of(older, newer) is Cause.OUT_OF_ORDER


def test_an_older_event_that_came_first_undid_nothing() -> None:
    older = event(
        "evt_0",
        age=3605,
        type="payment_intent.processing",
        payment_intent="pi_1",
        processed_at=ago(3603),
    )
    newer = event(payment_intent="pi_1", moved=Moved.NO, local_state="processing")
    assert cause_of(older, newer) is Cause.SWALLOWED


def test_two_events_of_one_second_are_in_the_order_of_their_states() -> None:
    """Their ids say nothing."""
    created = event(
        "evt_9",
        type="payment_intent.created",
        payment_intent="pi_1",
        processed_at=ago(3500),
        moved=Moved.NOT_TOLD,
    )
    succeeded = event(payment_intent="pi_1", moved=Moved.NO, local_state="pending")
    found = {each.event.id: each.cause for each in classify(Ground(path(created, succeeded)))}
    assert found == {"evt_9": None, "evt_1": Cause.OUT_OF_ORDER}


# ── without an event log ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seen", "moved", "expected"),
    [
        (True, Moved.YES, Place.DONE),
        (True, Moved.NO, Cause.SWALLOWED),
        (False, Moved.NO, Cause.SWALLOWED),
        (False, Moved.YES, Place.DONE),
        (None, Moved.YES, Place.DONE),
        (None, Moved.NO, Cause.SWALLOWED),
        (None, Moved.NO_ROW, Place.UNTOLD),
        (None, Moved.NOT_TOLD, Place.UNTOLD),
    ],
)
def test_redis_and_the_ledger_stand_in(
    seen: bool | None, moved: Moved, expected: Cause | Place
) -> None:
    assert cause_of(lost(seen=seen, moved=moved), asked=NO_LOG) is expected


def test_a_key_says_had_though_it_is_owed() -> None:
    """Marked before it was handled, and the handler failed."""
    found = owed(seen=True)
    assert cause_of(found, asked=NO_LOG) is Cause.NOT_PROCESSED


def test_a_ledger_alone_tells_what_did_not_move() -> None:
    assert cause_of(lost(), asked=NO_LOG_NO_KEYS) is Cause.SWALLOWED


# ── what was never made, and what nobody can tell ────────────────────────────────────────────────


def test_never_generated() -> None:
    made = Unchanged(lost("pi_9"))
    (found,) = classify(Ground(path(never_generated=(made,)), {}, NEEDS))
    assert found.cause is Cause.NEVER_GENERATED


def test_an_unfinished_row_that_stripe_no_longer_lists() -> None:
    row = lost("evt_old", logged="failed", received_at=ago(3600))
    (found,) = classify(Ground(path(strangers=(row,)), {}, NEEDS))
    assert found.cause is Cause.NOT_PROCESSED


def test_a_dead_log_and_a_dead_ledger_accuse_nobody() -> None:
    dead = path(
        lost(moved=Moved.NOT_TOLD),
        failures={Part.LOG: Exception(), Part.LEDGER: Exception()},  # type: ignore[dict-item]
    )
    (found,) = classify(Ground(dead, {}, NEEDS))
    assert found.place is Place.UNTOLD


def test_endpoints_that_could_not_be_asked_leave_the_rest_told() -> None:
    assert cause_of(lost(), endpoints=None) is Cause.SWALLOWED
    answers = asked(Cause.FAILS, "HTTP 500")
    assert cause_of(owed(), endpoints=None, asked_them=answers) is Cause.FAILS


# ── properties ───────────────────────────────────────────────────────────────────────────────────

MOMENTS = st.one_of(st.none(), st.floats(-100, 90_000).map(ago))
EVENTS = st.builds(
    PathEvent,
    id=st.uuids().map(str),
    type=st.sampled_from(
        [
            "payment_intent.succeeded",
            "payment_intent.created",
            "payment_intent.processing",
            "charge.refunded",
            "refund.created",
            "checkout.session.completed",
            "invoice.paid",
        ]
    ),
    created=st.integers(-100, 90_000).map(ago),
    livemode=st.booleans(),
    pending_webhooks=st.integers(0, 2),
    object_id=st.sampled_from(["pi_1", "pi_2", "ch_1"]),
    payment_intent=st.sampled_from(["", "pi_1", "pi_2"]),
    logged=st.sampled_from(["", "handled", "failed", "waiting"]),
    received_at=MOMENTS,
    processed_at=MOMENTS,
    times=st.integers(0, 3),
    attempts=st.one_of(st.none(), st.integers(0, 4)),
    seen=st.sampled_from([None, True, False]),
    moved=st.sampled_from(list(Moved)),
    local_state=st.sampled_from(["", "pending", "processing", "succeeded"]),
)
ANSWERS = st.sampled_from(
    [{}, asked(), asked(signed=True), *(asked(cause, "x") for cause in Cause)]
)
ENDPOINTS = st.sampled_from(
    [
        None,
        (),
        (endpoint(),),
        (endpoint(enabled=False),),
        (endpoint(types=("charge.refunded",)),),
    ]
)


@given(
    st.lists(EVENTS, max_size=20, unique_by=lambda each: each.id),
    ANSWERS,
    ENDPOINTS,
    st.sampled_from([ALL, NO_LOG, NO_LOG_NO_KEYS, frozenset({Part.EVENTS})]),
    st.sampled_from([frozenset(), NEEDS]),
)
def test_each_event_is_in_exactly_one_place(
    events: list[PathEvent], answers: Any, endpoints: Any, parts: Any, needs: Any
) -> None:
    ground = Ground(path(*events, endpoints=endpoints, asked=parts), answers, needs)
    found = classify(ground)
    assert Counter(each.event.id for each in found) == Counter(each.id for each in events)
    for each in found:
        assert (each.place is Place.LOST) == (each.cause is not None)
        young = NOW - each.event.created < timedelta(seconds=60)
        if young and not each.event.logged:
            assert each.place is Place.IN_FLIGHT
