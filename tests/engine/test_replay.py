"""Events sent again: planned, sent in order, and never twice by payops' fault."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from payops.domain.deadline import Deadline
from payops.domain.plan import Plan, signed
from payops.domain.plan_file import plan_of, plan_text
from payops.domain.window import Window
from payops.engine.replay import Wanted
from payops.engine.replayer import Manner
from payops.engine.target import check_account, check_endpoint, check_plan_fits
from payops.engine.undo import undo_plan
from payops.errors import FailedError, NotConfiguredError, RefusedError, SourceError, UsageError
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer
from payops.lab.stripe.config import default_key
from payops.lab.stripe.simulator import Simulator
from payops.sources import Sources
from replaying import KEY, SECRET, SEEN, TTL_S, UNLIMITED, Endpoint, Till, till, words


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("stripe"), UNLIMITED).running() as running:
        yield running


@pytest.fixture
def shop(
    server: PostgresServer, redis_server: RedisServer, simulator: Simulator, tmp_path: Path
) -> Iterator[Till]:
    with (
        psycopg.connect(server.dsn, autocommit=True) as sql,
        till(server.dsn, sql, redis_server.url, simulator, tmp_path) as made,
    ):
        yield made


def last(shop: Till, kind: str) -> dict[str, Any]:
    return next(e for e in reversed(shop.journal.trusted().entries) if e["kind"] == kind)


# ── what is planned ──────────────────────────────────────────────────────────────────────────────


def test_a_plan_holds_ids_and_what_was_seen_and_nothing_of_a_customer(shop: Till) -> None:
    (event,) = shop.lost()
    planned = shop.plan(event)
    (change,) = planned.plan.changes
    assert planned.refused == ()
    assert (change.id, change.remedy, change.kind) == (f"replay:{event}", "webhook.replay", "send")
    assert change.key == {"event": event}
    assert change.before["ledger"] == "no"
    assert change.before["ledger_status"] == "pending"
    assert change.before["dedupe_key"]
    assert not change.undoable
    assert str(change.money) == "10.01 USD"
    assert planned.plan.target.system == "http"
    assert planned.plan.target.database == "till"
    text = plan_text(planned.plan)
    assert SECRET not in text
    assert "client_secret" not in text
    assert "pi_till000001_secret" not in text
    assert change.statement.splitlines()[0].startswith(f"DEL {KEY.format(event=event)}")
    assert plan_of(text) == planned.plan


def test_in_order_of_creation_and_each_payment_counted_once(shop: Till) -> None:
    older = shop.lost(age_s=900, intent="pi_one", type="payment_intent.payment_failed")
    shop.sql.execute(
        "INSERT INTO payments VALUES (gen_random_uuid(), 'pending', 5, 0, 'pi_one', now())"
    )
    newer = shop.lost(age_s=500, intent="pi_one")
    changes = shop.plan(*newer, *older).plan.changes
    assert [change.key["event"] for change in changes] == [*older, *newer]
    assert [change.money is None for change in changes] == [False, True]


def test_what_the_ledger_shows_is_left_out(shop: Till) -> None:
    events = shop.lost(3)
    shop.sql.execute("UPDATE payments SET status = 'completed' WHERE processor_ref LIKE '%%2'")
    planned = shop.plan(*events)
    assert [change.key["event"] for change in planned.plan.changes] == [events[0], events[2]]
    assert [(each.subject, each.why) for each in planned.refused] == [
        (events[1], "the ledger shows it already")
    ]


def test_a_later_state_is_not_overwritten(shop: Till) -> None:
    (event,) = shop.lost(type="payment_intent.payment_failed", status="completed")
    planned = shop.plan(event)
    assert planned.plan.changes == ()
    assert "a later state (succeeded)" in planned.refused[0].why
    forced = shop.plan(event, force_order=True).plan
    assert words(shop.apply(forced)) == ["done"]
    assert shop.endpoint.events == [event]


def test_a_failure_that_was_tried_again_is_not_the_last_word(shop: Till) -> None:
    from payops.lab.stripe import objects

    def intent(status: str) -> None:
        shop.simulator.store.put(
            objects.payment_intent(
                id="pi_again",
                amount=500,
                currency="usd",
                status=status,
                created=int(time.time()) - 900,
                livemode=False,
            )
        )

    raw = shop.raw()["ledgers"]
    raw["payments"]["statuses"]["processing"] = ["working"]
    sections = {"ledgers": raw}
    failed = shop.lost(type="payment_intent.payment_failed", intent="pi_again")
    shop.sql.execute(
        "INSERT INTO payments VALUES (gen_random_uuid(), 'working', 5, 0, 'pi_again', now())"
    )
    intent("processing")
    planned = shop.plan(*failed, sections=sections)
    assert planned.plan.changes == ()
    assert "Stripe says processing now" in planned.refused[0].why
    intent("requires_payment_method")
    plan = shop.plan(*failed, sections=sections).plan
    assert len(plan.changes) == 1
    # between plan and apply the customer tries once more
    shop.sql.execute("UPDATE payments SET status = 'pending'")
    plan = shop.plan(*failed, sections=sections).plan
    shop.sql.execute("UPDATE payments SET status = 'working'")
    intent("processing")
    applied = shop.apply(plan, sections=sections)
    assert words(applied) == ["refused"]
    assert shop.endpoint.events == []


def test_another_api_version_is_a_risk_that_is_told(shop: Till) -> None:
    (event,) = shop.lost()
    assert shop.plan(event).plan.changes[0].risk == ""
    shop.simulator.store.put(
        {
            "object": "webhook_endpoint",
            "id": "we_pinned",
            "url": shop.endpoint.url,
            "status": "enabled",
            "created": 1_700_000_000,
            "livemode": False,
            "enabled_events": ["*"],
            "api_version": "2019-01-01",
        },
        livemode=False,
    )
    risk = shop.plan(event).plan.changes[0].risk
    assert "version 2019-01-01, and gives this event in 2024-06-20" in risk


def test_undelivered_stuck_and_all_that_the_ledger_lacks(shop: Till) -> None:
    now = datetime.now(UTC)
    window = Window(now - timedelta(hours=1), now)
    undelivered = shop.lost(2, marked=False)
    delivered = shop.lost(1, marked=False, pending_webhooks=0)
    stuck = shop.lost(1, pending_webhooks=0)
    fresh = shop.lost(1, age_s=5)

    def chosen(**kind: Any) -> set[str]:
        plan = shop.plan(wanted=Wanted(window=window, **kind)).plan
        return {change.key["event"] or "" for change in plan.changes}

    assert chosen(undelivered=True) == set(undelivered)
    assert chosen(stuck=True) == {*stuck}
    assert chosen() == {*undelivered, *delivered, *stuck}
    assert fresh[0] not in chosen(), "it may be on its way"
    assert chosen(types=("payment_intent.payment_failed",)) == set()
    assert chosen(types=("payment_intent.succ*",)) == {*undelivered, *delivered, *stuck}


def test_unknown_gone_and_foreign_events_are_refused(shop: Till) -> None:
    old = shop.lost(age_s=31 * 86_400, marked=False)
    live = shop.lost(livemode=True)
    planned = shop.plan("evt_nobody", *old, *live)
    whys = {each.subject: each.why for each in planned.refused}
    assert planned.plan.changes == ()
    assert "30 days" in whys["evt_nobody"]
    assert "older than 30 days" in whys[old[0]]
    assert "no such event" in whys[live[0]], "a test key does not see it"


def test_a_key_that_never_expires_is_left_to_a_person(shop: Till) -> None:
    (event,) = shop.lost()
    shop.redis.persist(KEY.format(event=event))
    assert "never expires" in shop.plan(event).refused[0].why


def test_a_key_set_after_handling_means_that_sending_is_in_vain(shop: Till) -> None:
    (event,) = shop.lost()
    sections = {"webhooks": {"dedupe": {"key": KEY, "marked": "after"}}}
    assert "answered as a duplicate" in shop.plan(event, sections=sections).refused[0].why


def test_which_endpoint(shop: Till) -> None:
    (event,) = shop.lost()
    two = [{"name": name, "url": f"https://{name}.example/"} for name in ("one", "two")]
    with pytest.raises(UsageError, match="several"):
        shop.plan(event, sections={"webhooks": {"endpoints": two}})
    with pytest.raises(UsageError, match="is not configured"):
        shop.plan(event, endpoint="https://evil.example/")
    with pytest.raises(NotConfiguredError, match="nothing is sent anywhere else"):
        shop.plan(event, sections={"webhooks": {"endpoints": []}})
    named = shop.plan(event, endpoint="two", sections={"webhooks": {"endpoints": two}}).plan
    assert named.target.database == "two"


@pytest.mark.parametrize("section", ["redis", "postgres", "stripe"])
def test_without_having_looked_nothing_is_planned(shop: Till, section: str) -> None:
    (event,) = shop.lost()
    dead = {
        "redis": {"url": "redis://127.0.0.1:1/0"},
        "postgres": {"dsn": "postgresql://nobody@127.0.0.1:1/nothing"},
        "stripe": {"secret_key": default_key(), "api_base": "http://127.0.0.1:1"},
    }
    with pytest.raises(SourceError) as raised:
        shop.plan(event, sections={section: dead[section]})
    assert raised.value.source == section


@pytest.mark.parametrize("kind", ["stuck", ""])
def test_a_ledger_that_cannot_be_asked_lacks_nothing_known(shop: Till, kind: str) -> None:
    shop.lost()
    now = datetime.now(UTC)
    wanted = Wanted(window=Window(now - timedelta(hours=1), now), stuck=bool(kind))
    assert shop.plan(wanted=wanted).plan.changes
    shop.sql.execute("ALTER TABLE payments RENAME TO payments_gone")
    try:
        with pytest.raises(SourceError) as raised:
            shop.plan(wanted=wanted)
    finally:
        shop.sql.execute("ALTER TABLE payments_gone RENAME TO payments")
    assert raised.value.source == "postgres"


# ── whether it may be applied ────────────────────────────────────────────────────────────────────


def fits(shop: Till, plan: Plan, now: datetime | None = None, **sections: Any) -> None:
    settings = shop.settings(**sections)
    check_plan_fits(plan, settings, now or datetime.now(UTC), force=False)
    check_endpoint(plan, settings)
    sources = Sources(settings, Deadline.after(5))
    try:
        check_account(plan, settings, sources)
    finally:
        sources.close()


def test_edited_expired_and_foreign_plans_are_refused(shop: Till) -> None:
    plan = shop.plan(*shop.lost()).plan
    fits(shop, plan)
    with pytest.raises(RefusedError, match="edited"):
        fits(shop, replace(plan, changes=()))
    with pytest.raises(RefusedError, match="old"):
        fits(shop, plan, datetime.now(UTC) + timedelta(hours=2))
    with pytest.raises(RefusedError, match="environment"):
        fits(shop, plan, environment="staging")
    elsewhere = {"endpoints": [{"name": "till", "url": "http://127.0.0.1:9/webhook"}]}
    with pytest.raises(RefusedError, match="not an endpoint of this configuration"):
        fits(shop, plan, webhooks=elsewhere)
    other = replace(plan.target, account="acct_other")
    with pytest.raises(RefusedError, match="not an endpoint of this configuration"):
        fits(shop, signed(replace(plan, target=other)))
    unsigned = {"endpoints": [{"name": "till", "url": shop.endpoint.url}]}
    with pytest.raises(RefusedError, match="no signing secret"):
        fits(shop, plan, webhooks=unsigned)


def test_a_live_key_and_an_endpoint_in_clear(shop: Till) -> None:
    plan = shop.plan(*shop.lost()).plan
    from payops.webhooks.replay import fingerprint

    stripe = {**shop.raw()["stripe"], "secret_key": default_key(livemode=True)}
    clear = {"endpoints": [{"name": "till", "url": "http://shop.example/", "secret": SECRET}]}
    (endpoint,) = shop.settings(webhooks=clear).webhooks.endpoints
    target = replace(plan.target, fingerprint=fingerprint(endpoint, plan.target.account))
    with pytest.raises(RefusedError, match="https only"):
        fits(shop, signed(replace(plan, target=target)), stripe=stripe, webhooks=clear)


def test_another_account_at_the_same_endpoint_is_refused(shop: Till) -> None:
    from payops.webhooks.replay import fingerprint

    plan = shop.plan(*shop.lost()).plan
    (endpoint,) = shop.settings().webhooks.endpoints
    target = replace(
        plan.target, account="acct_other", fingerprint=fingerprint(endpoint, "acct_other")
    )
    with pytest.raises(RefusedError, match="this key is of"):
        fits(shop, signed(replace(plan, target=target)))


def test_live_events_go_over_https_only() -> None:
    from payops.sources.webhook_sender import check_address

    check_address("https://shop.example/hook", livemode=True)
    check_address("http://127.0.0.1:8000/hook", livemode=True)
    check_address("http://shop.example/hook", livemode=False)
    for url in ("http://shop.example/hook", "http://10.0.0.1/hook"):
        with pytest.raises(RefusedError, match="https only"):
            check_address(url, livemode=True)
    for url in ("ftp://shop.example/", "shop.example", "http://[", "file:///etc/passwd"):
        with pytest.raises(RefusedError, match="no http or https address"):
            check_address(url, livemode=False)


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────


def test_stripes_own_bytes_freshly_signed_in_order(shop: Till) -> None:
    events = shop.lost(4)
    applied = shop.apply(shop.plan(*reversed(events)).plan)
    assert words(applied) == ["done"] * 4
    assert applied.exit_code == 0
    assert shop.endpoint.events == events
    assert shop.endpoint.refused == 0
    assert shop.handled() == [1]
    sources = Sources(shop.settings(), Deadline.after(5))
    assert shop.endpoint.bodies[0] == sources.stripe.event_body(events[0])
    sources.close()
    header = shop.endpoint.headers[0]
    assert header["User-Agent"].startswith("payops")
    assert header["Content-Type"] == "application/json; charset=utf-8"
    outcome = last(shop, "outcome")
    assert outcome["now"]["status"] == "200"
    assert int(outcome["now"]["latency_ms"]) >= 0
    told = last(shop, "reread")
    assert [each["moved"] for each in told["events"]] == ["yes"] * 4


def test_applied_twice_nothing_is_sent_twice(shop: Till) -> None:
    plan = shop.plan(*shop.lost(3)).plan
    shop.apply(plan)
    again = shop.apply(plan)
    assert words(again) == ["already done"] * 3
    assert again.exit_code == 0
    assert [each.moved for each in again.reread] == ["yes"] * 3
    rereads = [e for e in shop.journal.trusted().entries if e["kind"] == "reread"]
    assert len(rereads) == 1, "what it showed is not asked again"
    assert len(shop.endpoint.events) == 3


def test_a_dry_run_sends_and_clears_nothing(shop: Till) -> None:
    (event,) = shop.lost()
    left = shop.redis.pttl(KEY.format(event=event))
    assert words(shop.apply(shop.plan(event).plan, dry_run=True)) == ["would be done"]
    assert shop.endpoint.events == []
    assert 0 <= left - shop.redis.pttl(KEY.format(event=event)) < 5000  # type: ignore[operator]
    assert not shop.journal.path.exists()


def test_a_handler_that_swallows_is_told_after_the_ledger_was_read_again(shop: Till) -> None:
    events = shop.lost(2)
    shop.endpoint.swallow = True
    applied = shop.apply(shop.plan(*events).plan)
    assert words(applied) == ["done", "done"]
    assert applied.exit_code == 1, "answered 200, and the ledger did not move"
    assert [each.moved for each in applied.reread] == ["no", "no"]
    assert "the handler swallows it" in applied.reread[0].advice
    assert [each["moved"] for each in last(shop, "reread")["events"]] == ["no", "no"]


def test_a_worker_that_is_dead_is_told_from_the_event_log(shop: Till) -> None:
    """Accepted, written down, and nobody takes it from there."""
    shop.sql.execute(
        "CREATE TABLE webhook_events (event_id text PRIMARY KEY, status text,"
        " received_at timestamptz NOT NULL DEFAULT now())"
    )
    columns = {"event_id": "event_id", "status": "status", "received_at": "received_at"}
    sections = {"event_logs": {"log": {"table": "webhook_events", "columns": columns}}}
    event, failing = shop.lost(2, marked=False)
    shop.endpoint.swallow = True
    insert = "INSERT INTO webhook_events VALUES (%s, %s)"
    shop.endpoint.before = lambda id_: shop.sql.execute(
        insert, (id_, "failed" if id_ == failing else "received")
    )
    applied = shop.apply(shop.plan(event, failing, sections=sections).plan, sections=sections)
    assert words(applied) == ["done", "done"]
    assert applied.exit_code == 1
    assert "is its worker alive?" in applied.reread[0].advice
    assert "its handler failed" in applied.reread[1].advice


def test_it_stops_when_the_first_three_fail(shop: Till) -> None:
    events = shop.lost(6)
    shop.endpoint.answers = [500] * 6
    applied = shop.apply(shop.plan(*events).plan)
    assert words(applied) == ["failed"] * 3
    assert len(applied.untried) == 3
    assert applied.stopped.startswith("the first 3 were not accepted, the last with: 500")
    assert "payops webhooks probe" in applied.stopped
    assert applied.exit_code == 2
    assert last(shop, "end")["stopped"] == applied.stopped
    # the endpoint is well again: a rerun goes on, those that failed among them
    shop.endpoint.answers.clear()
    assert shop.apply(shop.plan(*events).plan).exit_code == 0
    assert shop.handled() == [1]


def test_it_stops_when_half_of_the_last_ten_fail(shop: Till) -> None:
    events = shop.lost(14)
    shop.endpoint.answer_of = dict.fromkeys(events[1::2], 503)
    applied = shop.apply(shop.plan(*events).plan)
    assert words(applied).count("failed") == 5
    assert "5 of the last" in applied.stopped
    assert len(applied.untried) == 4


def test_redirects_are_not_followed(shop: Till) -> None:
    other = Endpoint(shop.dsn, shop.redis_url)
    shop.endpoint.answers, shop.endpoint.location = [308], other.url
    try:
        applied = shop.apply(shop.plan(*shop.lost()).plan)
    finally:
        other.close()
    assert words(applied) == ["failed"]
    assert f"redirected to {other.url}" in applied.outcomes[0][1].why
    assert other.events == []


def test_nobody_listens(shop: Till) -> None:
    plan = shop.plan(*shop.lost(5)).plan
    shop.endpoint.server.shutdown()
    shop.endpoint.server.server_close()
    applied = shop.apply(plan)
    assert words(applied) == ["failed"] * 3
    assert "connection refused" in applied.stopped


def test_no_answer_but_it_arrived(shop: Till) -> None:
    """The handler is done and the connection breaks: it is not sent a second time."""
    events = shop.lost(2)

    def hang_up(event: str) -> None:
        if event == events[0]:
            shop.redis.set(KEY.format(event=event), SEEN, ex=TTL_S)
            raise ConnectionError

    shop.endpoint.before = hang_up
    applied = shop.apply(shop.plan(*events).plan)
    assert words(applied) == ["done", "done"]
    assert "but it arrived: its dedupe key was set since" in applied.outcomes[0][1].why
    assert applied.exit_code == 1, "the ledger shows nothing of it"


def test_the_rate_is_kept(shop: Till) -> None:
    events = shop.lost(5)
    shop.apply(shop.plan(*events).plan, Manner(per_second=10, settle_s=0.5))
    times = [moment for _, moment in shop.endpoint.arrived]
    assert times[-1] - times[0] > 0.35, "five at ten a second take four tenths of one"


def test_it_waits_for_the_queue(shop: Till) -> None:
    sections = {"webhooks": {"queue": {"key": "celery", "most": 2}}}
    plan = shop.plan(*shop.lost(2), sections=sections).plan
    shop.redis.rpush("celery", *"abcde")
    said: list[str] = []
    timer = threading.Timer(0.8, lambda: shop.redis.delete("celery"))
    timer.start()
    manner = Manner(per_second=100, say=said.append, settle_s=0.2, queue_patience_s=20)
    began = time.monotonic()
    applied = shop.apply(plan, manner, sections=sections)
    timer.join()
    assert words(applied) == ["done", "done"]
    assert time.monotonic() - began > 0.7
    assert said == ["payops: 5 wait in celery, more than 2: waiting for it to drain"]


def test_it_gives_up_on_a_queue_that_does_not_drain(shop: Till) -> None:
    sections = {"webhooks": {"queue": {"key": "celery", "most": 2}}}
    plan = shop.plan(*shop.lost(2), sections=sections).plan
    shop.redis.rpush("celery", *"abcde")
    manner = Manner(per_second=100, queue_patience_s=0.6)
    applied = shop.apply(plan, manner, sections=sections)
    assert applied.outcomes == ()
    assert "5 wait in celery, more than 2, and it did not drain" in applied.stopped
    assert shop.endpoint.events == []


def test_somebody_wants_it_to_end(shop: Till) -> None:
    plan = shop.plan(*shop.lost(4)).plan
    stop = lambda: len(shop.endpoint.arrived) >= 2  # noqa: E731
    applied = shop.apply(plan, Manner(per_second=1000, stop=stop, settle_s=0.2))
    assert applied.interrupted
    assert applied.exit_code == 130
    assert len(applied.untried) == 2
    assert shop.apply(plan).exit_code == 0
    assert shop.handled() == [1]


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_that_the_handler_set_again_is_never_cleared(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    shop.redis.set(KEY.format(event=event), SEEN, ex=TTL_S)  # the same value, later
    applied = shop.apply(plan)
    assert words(applied) == ["refused"]
    assert "its dedupe key was set since" in applied.outcomes[0][1].why
    assert shop.redis.get(KEY.format(event=event)) == SEEN
    assert shop.endpoint.events == []


def test_stripe_came_first(shop: Till) -> None:
    """Handled between plan and apply: neither cleared nor sent."""
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    shop.sql.execute("UPDATE payments SET status = 'completed'")
    applied = shop.apply(plan)
    assert words(applied) == ["already done"]
    assert shop.redis.get(KEY.format(event=event)) == SEEN
    assert shop.endpoint.events == []


def test_a_newer_state_that_came_since_the_plan(shop: Till) -> None:
    (event,) = shop.lost(type="payment_intent.payment_failed")
    plan = shop.plan(event).plan
    shop.sql.execute("UPDATE payments SET status = 'refunded'")
    applied = shop.apply(plan)
    assert words(applied) == ["refused"]
    assert "a later state since: refunded" in applied.outcomes[0][1].why


def test_a_key_that_expired_meanwhile_needs_no_clearing(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    shop.redis.delete(KEY.format(event=event))
    assert words(shop.apply(plan)) == ["done"]
    assert shop.handled() == [1]


def test_redis_that_forbids_deleting_ends_the_run_before_anything_is_sent(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    shop.redis.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-eval")
    url = f"redis://reader:pw@{shop.redis_url.rpartition('@')[2].removeprefix('redis://')}"
    applied = shop.apply(plan, sections={"redis": {"url": url}})
    assert "permission" in applied.stopped.lower()
    assert shop.endpoint.events == []
    assert shop.redis.get(KEY.format(event=event)) == SEEN
    assert shop.apply(plan).exit_code == 0
    assert shop.handled() == [1]


# ── what an interruption leaves ──────────────────────────────────────────────────────────────────


def left_open(shop: Till, plan: Plan) -> None:
    """The intent is on disk, and payops was killed."""
    from payops.engine.journal_past import intent_body, run_body

    begun = shop.journal.append("apply", run_body(plan, 1, "tester@here", False))
    shop.journal.append("intent", intent_body(begun["seq"], plan, plan.changes[0], 0))


def resolved(shop: Till) -> str:
    return str(last(shop, "outcome")["result"])


def results(shop: Till) -> list[str]:
    return [e["result"] for e in shop.journal.trusted().entries if e["kind"] == "outcome"]


def test_killed_before_anything_was_sent(shop: Till) -> None:
    plan = shop.plan(*shop.lost()).plan
    left_open(shop, plan)
    assert words(shop.apply(plan)) == ["done"]
    assert results(shop) == ["not done", "done"]
    assert shop.handled() == [1]


def test_killed_between_clearing_and_sending(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    left_open(shop, plan)
    shop.redis.delete(KEY.format(event=event))
    assert words(shop.apply(plan)) == ["done"]
    assert results(shop) == ["not done", "done"]
    assert shop.handled() == [1]


def test_killed_after_it_was_sent(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    left_open(shop, plan)
    shop.redis.set(KEY.format(event=event), SEEN, ex=TTL_S)  # the handler has it, and is slow
    assert words(shop.apply(plan)) == ["already done"]
    assert results(shop) == ["done"]
    assert shop.endpoint.events == []


def test_killed_while_it_was_on_its_way(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    left_open(shop, plan)
    shop.redis.delete(KEY.format(event=event))
    late = threading.Timer(0.6, lambda: shop.redis.set(KEY.format(event=event), SEEN, ex=TTL_S))
    late.start()
    applied = shop.apply(plan, Manner(per_second=1000, settle_s=4))
    late.join()
    assert words(applied) == ["already done"]
    assert shop.endpoint.events == []


def test_by_the_event_log_where_there_is_no_key(shop: Till) -> None:
    shop.sql.execute(
        "CREATE TABLE webhook_events (event_id text PRIMARY KEY, status text, attempts integer,"
        " received_at timestamptz NOT NULL DEFAULT now())"
    )
    shop.endpoint.marks = False
    columns = {
        "event_id": "event_id",
        "status": "status",
        "attempts": "attempts",
        "received_at": "received_at",
    }
    sections = {
        "webhooks": {"dedupe": None},
        "event_logs": {"log": {"table": "webhook_events", "columns": columns}},
    }
    event, other = shop.lost(2, marked=False)
    insert = "INSERT INTO webhook_events (event_id, status, attempts) VALUES (%s, 'failed', 1)"
    shop.sql.execute(insert, (event,))
    plan = shop.plan(event, sections=sections).plan
    assert "the event log has it as failed" in plan.changes[0].why
    left_open(shop, plan)
    shop.sql.execute("UPDATE webhook_events SET attempts = 2")
    applied = shop.apply(plan, sections=sections)
    assert words(applied) == ["already done"]
    assert shop.endpoint.events == []
    assert words(shop.apply(shop.plan(other, sections=sections).plan, sections=sections)) == [
        "done"
    ]


def test_two_at_once(shop: Till) -> None:
    from payops.engine.replay_lock import ReplayLock

    plan = shop.plan(*shop.lost()).plan
    first = ReplayLock(shop.settings(), shop.journal.folder, "ann@here", plan.target.fingerprint)
    first.take()
    with pytest.raises(RefusedError, match="at work on this machine"):
        shop.apply(plan)
    elsewhere = ReplayLock(shop.settings(), shop.folder / "elsewhere", "bob@there", "x")
    with pytest.raises(RefusedError, match="at work on this database"):
        elsewhere.take()
    elsewhere.free()
    first.free()
    assert shop.apply(plan).exit_code == 0


def test_what_was_sent_cannot_be_undone(shop: Till) -> None:
    shop.apply(shop.plan(*shop.lost()).plan)
    entry = last(shop, "outcome")["seq"]
    with pytest.raises(RefusedError, match="an event that was sent stays sent"):
        undo_plan(
            shop.journal.trusted(),
            shop.settings(),
            entry=entry,
            command="payops undo",
            now=datetime.now(UTC),
        )


# ── hostile events ───────────────────────────────────────────────────────────────────────────────


def test_an_event_that_is_another_when_it_is_sent(shop: Till) -> None:
    (event,) = shop.lost()
    plan = shop.plan(event).plan
    body = json.loads(shop.simulator.store.body(event) or b"{}")
    shop.simulator.store.put({**body, "account": "acct_connected"}, livemode=False)
    assert "another account" in shop.apply(plan).outcomes[0][1].why
    shop.simulator.store.put({**body, "type": "charge.refunded"}, livemode=False)
    assert "type is not what the plan saw" in shop.apply(plan).outcomes[0][1].why
    assert shop.endpoint.events == []


def test_hostile_types_and_bodies_are_shown_and_sent_as_they_are(shop: Till) -> None:
    evil = "payment_intent.\x1b[2J\u202e|`x`</b>"
    (event,) = shop.lost(type="payment_intent.succeeded")
    body = json.loads(shop.simulator.store.body(event) or b"{}")
    body["type"] = evil
    body["data"]["object"]["description"] = "\x1b]0;owned\x07 \N{SNOWMAN}"
    shop.simulator.store.put(body, livemode=False)
    planned = shop.plan(event)
    shop.endpoint.swallow = True
    assert words(shop.apply(planned.plan)) == ["done"]
    sources = Sources(shop.settings(), Deadline.after(5))
    assert shop.endpoint.bodies == [sources.stripe.event_body(event)]
    sources.close()
    from payops.formats.plans.text import plan_for_people
    from payops.formats.plans.ticket import plan_as_markdown

    for text in (
        plan_for_people(planned.plan, datetime.now(UTC)),
        plan_as_markdown(planned.plan, datetime.now(UTC)),
    ):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_statement_that_is_not_what_would_be_done_is_refused(shop: Till) -> None:
    plan = shop.plan(*shop.lost()).plan
    (change,) = plan.changes
    other = signed(replace(plan, changes=(replace(change, statement="POST nowhere"),)))
    assert words(shop.apply(other)) == ["refused"]
    assert shop.endpoint.events == []


# ── by Stripe ────────────────────────────────────────────────────────────────────────────────────


def test_by_stripes_own_retry(shop: Till) -> None:
    (event,) = shop.lost()
    with pytest.raises(RefusedError, match="is not registered with Stripe"):
        shop.plan(event, by_stripe=True)
    endpoint = {
        "id": "we_till",
        "url": shop.endpoint.url,
        "enabled_events": ["*"],
        "secret": SECRET,
        "livemode": False,
    }
    shop.simulator.webhooks.configure([endpoint], False)
    plan = shop.plan(event, by_stripe=True).plan
    (change,) = plan.changes
    assert change.remedy == "webhook.retry"
    assert change.key["webhook_endpoint"] == "we_till"
    assert "not documented" in change.risk
    other = replace(change, key={**change.key, "webhook_endpoint": "we_somebodys"})
    statement = change.statement.replace("we_till", "we_somebodys")
    forged = signed(replace(plan, changes=(replace(other, statement=statement),)))
    assert words(shop.apply(forged)) == ["refused"]
    applied = shop.apply(plan)
    assert words(applied) == ["done"]
    until = time.monotonic() + 5
    while shop.handled() != [1] and time.monotonic() < until:
        time.sleep(0.05)
    assert shop.endpoint.events == [event]
    shop.simulator.webhooks.change_endpoint("we_till", {"status": "disabled"})
    (another,) = shop.lost()
    with pytest.raises(RefusedError, match="disabled at Stripe"):
        shop.plan(another, by_stripe=True)


def test_a_dedupe_key_that_is_no_string_stops_its_own_event_alone(shop: Till) -> None:
    odd, plain = shop.lost(2)
    key = KEY.format(event=odd)
    shop.redis.delete(key)
    shop.redis.hset(key, "worker", "1")
    shop.redis.expire(key, TTL_S - 600)
    planned = shop.plan(odd, plain)
    assert [change.key["event"] for change in planned.plan.changes] == [plain]
    (left_out,) = planned.refused
    assert (left_out.subject, "no string" in left_out.why) == (odd, True)
    assert words(shop.apply(planned.plan)) == ["done"]


def test_a_plan_that_says_stripe_and_sends_itself_is_refused(shop: Till) -> None:
    from payops.webhooks.replay import fingerprint

    plan = shop.plan(*shop.lost()).plan
    (change,) = plan.changes
    forged = signed(replace(plan, changes=(replace(change, remedy="webhook.retry"),)))
    with pytest.raises(ValueError, match=r"is not that of a webhook\.retry"):
        plan_of(plan_text(forged))
    # Live events in clear: what payops itself would send is looked at whatever the remedy says.
    live = {"secret_key": default_key().replace("_test_", "_live_"), "api_base": shop.simulator.url}
    clear = {"endpoints": [{"name": "till", "url": "http://shop.example/hook", "secret": SECRET}]}
    given = shop.settings(stripe=live, webhooks=clear)
    target = replace(
        plan.target, fingerprint=fingerprint(given.webhooks.endpoints[0], plan.target.account)
    )
    with pytest.raises(RefusedError, match="https only"):
        check_endpoint(signed(replace(forged, target=target)), given)


def test_the_journals_disk_is_full_before_anything_is_sent(shop: Till) -> None:
    plan = shop.plan(*shop.lost()).plan
    (shop.folder / "state").write_text("not a folder")
    with pytest.raises(FailedError):
        shop.apply(plan)
    assert shop.endpoint.events == []
