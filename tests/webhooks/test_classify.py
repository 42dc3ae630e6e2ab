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


def later(*numbers: int) -> list[PathEvent]:
    """Events that arrived, minutes after the one that is judged."""
    return [event(f"evt_{number}", age=600 - number) for number in numbers]


def test_an_endpoint_that_takes_events_again_refuses_no_signatures() -> None:
    found = classify(Ground(path(owed(), *later(2, 3, 4)), asked(), NEEDS))[0]
    assert (found.cause, found.certain) == (Cause.UNDELIVERED, False)
    assert "the newest 3 arrived" in found.detail


def test_where_some_of_the_newest_arrived_nobody_is_blamed() -> None:
    """One server of three, a type that the handler refuses before it logs it, or one by hand."""
    found = classify(Ground(path(owed(), *later(2)), asked(), NEEDS))[0]
    assert (found.cause, found.certain) == (Cause.UNDELIVERED, False)
    assert "some arrived" in found.detail


def test_what_arrived_before_the_newest_three_is_no_excuse() -> None:
    newest = [owed(f"evt_o{number}", age=300 - number) for number in range(3)]
    found = classify(Ground(path(owed(), *later(2, 3, 4), *newest), asked(), NEEDS))
    assert {each.cause for each in found if each.place is Place.LOST} == {Cause.SIGNATURE}


def test_what_arrives_at_another_endpoint_excuses_nothing() -> None:
    both = (
        endpoint(types=("payment_intent.succeeded",)),
        endpoint("https://other.example.com/", id="we_2", types=("charge.refunded",)),
    )
    other = [event(f"evt_{n}", age=600 - n, type="charge.refunded") for n in range(2, 5)]
    found = classify(Ground(path(owed(), *other, endpoints=both), asked(), NEEDS))[0]
    assert found.cause is Cause.SIGNATURE
    same = (endpoint(), endpoint("https://other.example.com/", id="we_2"))
    found = classify(Ground(path(owed(), *other, endpoints=same), asked(), NEEDS))[0]
    assert found.cause is Cause.UNDELIVERED


@pytest.mark.parametrize("partly", [{"whole": False}, {"events_complete": False}])
def test_some_of_the_events_prove_nothing_by_elimination(partly: dict[str, bool]) -> None:
    found = classify(Ground(path(owed(), **partly), asked(), NEEDS))[0]
    assert (found.cause, found.certain) == (Cause.UNDELIVERED, False)


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


@pytest.mark.parametrize(
    ("seen", "asked", "sure"),
    [(None, ALL, True), (None, NO_LOG, False), (False, NO_LOG, True)],
)
def test_since_when_nothing_was_sent_is_told_by_a_log_or_a_key(
    seen: bool | None, asked: frozenset[Part], sure: bool
) -> None:
    for endpoints in ((endpoint(enabled=False),), (endpoint(types=("charge.failed",)),)):
        of = path(lost(seen=seen), endpoints=endpoints, asked=asked)
        (found,) = classify(Ground(of, {}, NEEDS))
        assert found.cause in {Cause.DISABLED, Cause.NOT_SUBSCRIBED}
        assert found.certain is sure


def quiet(*types: str) -> list[PathEvent]:
    """Lost without a trace, one after the other, an hour ago."""
    return [lost(f"evt_q{n}", age=3600 - n, type=type_) for n, type_ in enumerate(types)]


PAID, REFUNDED = "payment_intent.succeeded", "charge.refunded"


def test_disabled_and_enabled_again_is_likely_where_nothing_came_at_all() -> None:
    found = classify(
        Ground(path(event(age=7200), *quiet(PAID, REFUNDED, PAID), *later(2, 3, 4)), {}, NEEDS)
    )
    silent = [each for each in found if each.event.id.startswith("evt_q")]
    assert {(each.cause, each.certain) for each in silent} == {(Cause.DISABLED, False)}
    assert "2026-02-11T08:30:00Z to 2026-02-11T08:30:02Z" in silent[0].detail


@pytest.mark.parametrize(
    ("types", "before", "since"),
    [
        ((PAID, PAID, PAID), 1, (2, 3, 4)),  # one type alone: its handler drops it
        ((PAID, REFUNDED), 1, (2, 3, 4)),  # too few to call it silence
        ((PAID, REFUNDED, PAID), 1, (2, 3)),  # nothing says that it is enabled again
        ((PAID, REFUNDED, PAID), 0, (2, 3, 4)),  # the log's older rows may have been deleted
    ],
)
def test_without_a_trace_is_no_silence(
    types: tuple[str, ...], before: int, since: tuple[int, ...]
) -> None:
    first = [event(age=7200)] * before
    found = classify(Ground(path(*first, *quiet(*types), *later(*since)), {}, NEEDS))
    causes = {each.cause for each in found if each.event.id.startswith("evt_q")}
    assert causes == {Cause.SWALLOWED}


def test_one_that_came_or_is_owed_breaks_a_silence() -> None:
    for one in (event("evt_a", age=3598.5), owed("evt_a", age=3598.5)):
        events = [event(age=7200), *quiet(PAID, REFUNDED, PAID), one, *later(2, 3, 4)]
        found = classify(Ground(path(*events), asked(), NEEDS))
        causes = {each.cause for each in found if each.event.id.startswith("evt_q")}
        assert causes == {Cause.SWALLOWED}


def test_a_key_says_that_it_came_though_the_endpoint_is_disabled_now() -> None:
    off = (endpoint(enabled=False),)
    assert cause_of(lost(seen=True), endpoints=off) is Cause.SWALLOWED
    assert cause_of(lost(seen=False), endpoints=off) is Cause.DISABLED


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
