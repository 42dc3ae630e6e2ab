"""Which events are sent again: pure tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.config.webhooks import WebhookEndpoint
from payops.domain.money import Money
from payops.domain.payment import PaymentStatus
from payops.domain.plan import Caps, Plan, Target, signed
from payops.domain.plan_file import plan_of, plan_text
from payops.domain.webhook import Moved, PathEvent
from payops.sources.redis_keys import TOLERANCE_MS, Mark
from payops.webhooks.failing import AMONG, FIRST, OF_LAST, Failures
from payops.webhooks.replay import (
    Way,
    before_of,
    change_of,
    changes_of,
    fingerprint,
    left_out,
    mark_in,
    reached,
    statement_of,
)
from payops.webhooks.whereabouts import Whereabouts, overtaken

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
ENDPOINT = WebhookEndpoint(url="https://shop.example/hook?token=abc", name="shop")
MARK = Mark("0123456789abcdef", 1_770_000_000_000)
BEFORE = Way(ENDPOINT, dedupe=":1:stripe_event:{event}", ttl_s=86_400, clears=True)
AFTER = Way(ENDPOINT, dedupe="stripe_event:{event}", ttl_s=86_400)


def set_before(seconds: float) -> Mark:
    """A key that was set so long ago."""
    return Mark("0123456789abcdef", round((NOW.timestamp() + 86_400 - seconds) * 1000))


def event(id: str = "evt_1", type: str = "payment_intent.succeeded", **more: Any) -> PathEvent:
    given: dict[str, Any] = {
        "created": NOW - timedelta(minutes=10),
        "livemode": True,
        "pending_webhooks": 1,
        "object_id": "pi_1",
        "payment_intent": "pi_1",
        "amount": Money("usd", 1999),
        **more,
    }
    return PathEvent(id, type, **given)


S = PaymentStatus


@pytest.mark.parametrize(
    ("type_", "status", "expected"),
    [
        ("payment_intent.succeeded", S.PENDING, False),
        ("payment_intent.succeeded", S.FAILED, False),
        ("payment_intent.succeeded", S.SUCCEEDED, False),
        ("payment_intent.succeeded", S.REFUNDED, True),
        ("payment_intent.succeeded", S.DISPUTED, True),
        ("payment_intent.succeeded", None, False),
        ("payment_intent.payment_failed", S.PENDING, False),
        ("payment_intent.payment_failed", S.SUCCEEDED, True),
        ("payment_intent.processing", S.FAILED, True),
        ("payment_intent.canceled", S.FAILED, False),
        ("payment_intent.canceled", S.SUCCEEDED, True),
        ("payment_intent.created", S.PENDING, False),
        ("payment_intent.created", S.SUCCEEDED, True),
        ("charge.failed", S.SUCCEEDED, True),
        ("charge.succeeded", S.SUCCEEDED, False),
        ("checkout.session.expired", S.SUCCEEDED, True),
        ("charge.refunded", S.SUCCEEDED, False),
        ("charge.refunded", S.PARTIALLY_REFUNDED, False),
        ("product.updated", S.REFUNDED, False),
    ],
)
def test_overtaken(type_: str, status: PaymentStatus | None, expected: bool) -> None:
    assert overtaken(event(type=type_), status) is expected


@pytest.mark.parametrize(
    ("its", "way", "said"),
    [
        (Whereabouts(Moved.NO), BEFORE, ""),
        (Whereabouts(Moved.NO_ROW), BEFORE, ""),
        (Whereabouts(Moved.NOT_TOLD), BEFORE, ""),
        (Whereabouts(Moved.YES), BEFORE, "the ledger shows it already"),
        (Whereabouts(Moved.YES, status=S.REFUNDED), BEFORE, "a later state (refunded)"),
        (Whereabouts(Moved.NO, mark=MARK), BEFORE, ""),
        (Whereabouts(Moved.NO, mark=MARK), AFTER, "answered as a duplicate"),
        (Whereabouts(Moved.NO, mark=MARK, logged="handled"), AFTER, "answered as a duplicate"),
        (Whereabouts(Moved.NO, mark=MARK, logged="failed"), AFTER, ""),
        (Whereabouts(Moved.NO, mark=MARK, logged="waiting"), AFTER, ""),
        (Whereabouts(Moved.NO, mark=Mark("x", None)), BEFORE, "never expires"),
        (Whereabouts(Moved.NO, mark=set_before(59)), BEFORE, "the handler may be at work"),
        (Whereabouts(Moved.NO, mark=set_before(61)), BEFORE, ""),
        (Whereabouts(Moved.NOT_TOLD, logged="handled"), BEFORE, "the event log has it as handled"),
        (Whereabouts(Moved.NO, logged="handled"), BEFORE, ""),
        (Whereabouts(Moved.NO, logged="failed"), BEFORE, ""),
    ],
)
def test_left_out(its: Whereabouts, way: Way, said: str) -> None:
    why = left_out(event(), its, way, livemode=True, now=NOW)
    assert said in why
    assert bool(why) == bool(said)


def test_other_mode_and_older_than_stripe_keeps() -> None:
    test = event(livemode=False)
    assert "a test event" in left_out(test, Whereabouts(), BEFORE, livemode=True, now=NOW)
    assert "a live event" in left_out(event(), Whereabouts(), BEFORE, livemode=False, now=NOW)
    old = event(created=NOW - timedelta(days=30, seconds=1))
    assert "Stripe has it no more" in left_out(old, Whereabouts(), BEFORE, livemode=True, now=NOW)


def test_force_order_lifts_that_alone() -> None:
    its = Whereabouts(Moved.YES, status=S.REFUNDED)
    forced = {"livemode": True, "now": NOW, "force_order": True}
    assert left_out(event(), its, BEFORE, **forced) == ""  # type: ignore[arg-type]
    same = Whereabouts(Moved.YES, status=S.SUCCEEDED)
    assert left_out(event(), same, BEFORE, **forced) != ""  # type: ignore[arg-type]


def test_in_one_second_the_farther_one_comes_later() -> None:
    events = [event("evt_a"), event("evt_b", "payment_intent.payment_failed")]
    its = {each.id: Whereabouts(Moved.NO) for each in events}
    changes, _ = changes_of(events, its, BEFORE, livemode=True, now=NOW)
    assert [change.key["event"] for change in changes] == ["evt_b", "evt_a"]


@pytest.mark.parametrize(
    ("seen", "now", "said"),
    [
        (Whereabouts(Moved.NO), Whereabouts(Moved.NO), ""),
        (Whereabouts(Moved.NO), Whereabouts(Moved.YES), "the ledger"),
        (Whereabouts(Moved.YES), Whereabouts(Moved.YES), ""),  # forced
        (Whereabouts(mark=MARK), Whereabouts(mark=MARK), ""),
        (Whereabouts(mark=MARK), Whereabouts(), ""),  # cleared, or expired
        (Whereabouts(), Whereabouts(mark=MARK), "dedupe key"),
        (
            Whereabouts(mark=MARK),
            Whereabouts(mark=Mark(MARK.value, 1_770_000_000_000 + TOLERANCE_MS)),
            "",
        ),
        (
            Whereabouts(mark=MARK),
            Whereabouts(mark=Mark(MARK.value, 1_770_000_000_000 + TOLERANCE_MS + 1)),
            "dedupe key",
        ),
        (Whereabouts(mark=MARK), Whereabouts(mark=Mark("other", MARK.expires_ms)), "dedupe key"),
        (Whereabouts(), Whereabouts(logged="waiting"), "the event log has it as waiting"),
        (Whereabouts(logged="failed", attempts=1), Whereabouts(logged="failed", attempts=1), ""),
        (
            Whereabouts(logged="failed", attempts=1),
            Whereabouts(logged="failed", attempts=2),
            "the event log",
        ),
        (
            Whereabouts(logged="failed", received_at=NOW),
            Whereabouts(logged="failed", received_at=NOW + timedelta(seconds=1)),
            "the event log",
        ),
    ],
)
def test_reached_since_a_plan_saw_it(seen: Whereabouts, now: Whereabouts, said: str) -> None:
    why = reached(before_of(event(), seen), now)
    assert said in why
    assert bool(why) == bool(said)


def test_the_statement_shows_what_is_done_and_no_secret_of_the_url() -> None:
    key = {"event": "evt_1"}
    text = statement_of(key, before_of(event(), Whereabouts(mark=MARK)), BEFORE)
    assert text.splitlines() == [
        "DEL :1:stripe_event:evt_1  -- if it is still the one seen",
        "POST https://shop.example/hook?…  -- body of GET /v1/events/evt_1",
    ]
    retry = {"event": "evt_1", "webhook_endpoint": "we_1"}
    left_behind = before_of(event(), Whereabouts(mark=MARK, logged="failed"))
    assert statement_of(key, left_behind, AFTER).startswith("DEL stripe_event:evt_1")
    assert statement_of(key, before_of(event(), Whereabouts(mark=MARK)), AFTER)[:4] == "POST"
    by_stripe = statement_of(retry, before_of(event(), Whereabouts()), Way(ENDPOINT, "we_1"))
    assert by_stripe == "POST Stripe /v1/events/evt_1/retry  webhook_endpoint=we_1"


def test_the_fingerprint_tells_urls_and_accounts_apart_and_shows_neither() -> None:
    other = WebhookEndpoint(url="https://shop.example/hook", name="shop")
    prints = {fingerprint(each, account) for each in (ENDPOINT, other) for account in ("a", "b")}
    assert len(prints) == 4
    assert not any("shop" in each or "token" in each for each in prints)


def test_a_risk_is_told_where_nothing_tells_later() -> None:
    blind = Way(ENDPOINT, looks=False)
    change = change_of(event(), Whereabouts(Moved.NOT_TOLD), blind, None)
    assert "it may be sent twice" in change.risk
    assert "the ledger cannot tell" in change.risk


text = st.text(max_size=30)
marks = st.none() | st.builds(
    Mark, st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(1, 10**14)
)


@given(
    id_=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    type_=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    local=text,
    mark=marks,
    logged=st.sampled_from(["", "handled", "failed", "waiting"]),
    moved=st.sampled_from(list(Moved)),
)
def test_whatever_stripe_says_the_plan_is_read_back_as_it_was_written(
    id_: str, type_: str, local: str, mark: Mark | None, logged: str, moved: Moved
) -> None:
    its = Whereabouts(moved, local, logged=logged, mark=mark)
    change = change_of(event(id_, type_), its, BEFORE, None)
    target = Target("http", "test", "shop", fingerprint(ENDPOINT, "acct_1"), "acct_1")
    plan = signed(Plan("payops", NOW, 60, target, (change,), Caps(1)))
    assert plan_of(plan_text(plan)) == plan
    assert mark_in(change.before) == mark
    assert change.kind == "send"


@given(st.lists(st.booleans(), max_size=60))
def test_a_replay_stops_exactly_at_the_rate(answers: list[bool]) -> None:
    failures = Failures()
    for number, accepted in enumerate(answers, start=1):
        failures.note(accepted, "500")
        lately = answers[max(0, number - AMONG) : number]
        first = number == FIRST and not any(lately)
        assert bool(failures.reason) == (first or lately.count(False) >= OF_LAST)
