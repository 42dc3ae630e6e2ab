"""What each scenario of the webhook's path leaves on every side: Stripe, event log, Redis, ledger.

A table: of the events that a scenario lost, what must be true of all of them. And of the shop, how
it answers Stripe from now on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from payops.domain.signature import signature_header
from payops.domain.webhook import Cause
from payops.errors import LabError
from payops.lab import laboratory, scenario
from payops.lab.control import Control
from payops.lab.info import LabInfo
from payops.lab.scenarios.webhook_secrets_swapped import AFTERWARDS
from payops.lab.systems import system

REFUSED = 0
HARMLESS = (
    b'{"id": "evt_probe", "type": "product.updated", '
    b'"data": {"object": {"id": "prod_1", "object": "product"}}}'
)


@dataclass(frozen=True)
class Trace:
    """Of the events lost: how many endpoints Stripe says have not had them, their state in the log
    (empty: no row), whether their dedupe keys are there, and how their payments stand; then how the
    endpoint answers a POST without a signature, and a signed one."""

    pending: int
    logged: str
    seen: bool
    ledger: str
    unsigned: int = 400
    signed: int = 200


OWED = Trace(pending=1, logged="", seen=False, ledger="pending")
TRACES = {
    "webhook-endpoint-refused": (OWED, {"unsigned": REFUSED, "signed": REFUSED}),
    "webhook-redirect": (OWED, {"unsigned": 308, "signed": 308}),
    "webhook-login-wall": (OWED, {"unsigned": 403, "signed": 403}),
    "webhook-endpoint-fails": (OWED, {"unsigned": 500, "signed": 500}),
    "webhook-signature-mismatch": (OWED, {"signed": 400}),
    "webhook-secrets-swapped": (OWED, {"signed": 400}),
    "webhook-body-altered": (OWED, {"signed": 400}),
    "clock-skew": (OWED, {"signed": 400}),
    "webhook-endpoint-disabled": (OWED, {"pending": 0}),
    "webhook-type-not-subscribed": (OWED, {"pending": 0}),
    "webhook-events-stuck": (OWED, {"pending": 0, "logged": "received", "seen": True}),
    "webhook-events-failed": (OWED, {"pending": 0, "logged": "failed", "seen": True}),
    "webhook-events-swallowed": (OWED, {"pending": 0, "logged": "processed", "seen": True}),
    "webhook-processed-late": (
        OWED,
        {"pending": 0, "logged": "processed", "seen": True, "ledger": "succeeded"},
    ),
    "webhook-processed-twice": (
        OWED,
        {"pending": 0, "logged": "processed", "seen": False, "ledger": "succeeded"},
    ),
    "webhook-out-of-order": (
        OWED,
        {"pending": 0, "logged": "processed", "seen": True, "ledger": "processing"},
    ),
}
PATH = {one for one in scenario.scenario_ids() if scenario.load_scenario(one).causes}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("traces") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=400))
    laboratory.down(directory)


@pytest.fixture(autouse=True)
def healed(lab: LabInfo) -> Iterator[None]:
    yield
    laboratory.heal(Path(lab.dir))


def lost(lab: LabInfo, wanted: str) -> list[dict[str, Any]]:
    """The events that a scenario in force has changed, as they were before."""
    kept = json.loads((Path(lab.dir) / "scenarios" / f"{wanted}.json").read_text())
    events: list[dict[str, Any]] = kept["stripe_events"]
    return events


def answer(url: str, body: bytes = b"{}", **headers: str) -> int:
    """The status of a POST; 0 where the connection is refused."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("POST", parts.path, body, headers)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return REFUSED
    finally:
        connection.close()


def told_later(event: dict[str, Any]) -> bool:
    """Whether an event tells of what became of a payment after it had succeeded."""
    return str(event["type"]).startswith(("refund.", "charge.refunded", "charge.dispute."))


@pytest.mark.parametrize("wanted", TRACES)
def test_every_side_shows_the_same(lab: LabInfo, wanted: str) -> None:
    base, more = TRACES[wanted]
    trace = Trace(**{**base.__dict__, **more})
    laboratory.inject(Path(lab.dir), wanted)
    before = lost(lab, wanted)
    ids = {event["id"] for event in before}
    stripe = Control("stripe", lab.stripe_control_url)
    events = stripe.get("/objects?type=event&limit=5000")["objects"]
    now = [event for event in events if event["id"] in ids]
    assert len(now) == len(before) >= 14
    for event in now:
        both = wanted == "webhook-secrets-swapped" and event["type"] in AFTERWARDS
        assert event["pending_webhooks"] == (2 if both else trace.pending)
    assert [{**e, "pending_webhooks": 0} for e in reversed(now)] == before
    owed = {one["event"] for one in stripe.get("/deliveries")["deliveries"]}
    assert owed == (ids if trace.pending else set())
    paid = {e["data"]["object"]["id"] for e in before if e["type"] == "payment_intent.succeeded"}
    # What a refund or a dispute says of a payment is heard all the same where it was not lost.
    paid -= {e["data"]["object"].get("payment_intent") for e in events if told_later(e)}
    with psycopg.connect(lab.postgres_dsn) as connection:
        log = connection.execute(
            "SELECT DISTINCT status FROM webhook_events WHERE event_id = ANY(%s)", (list(ids),)
        ).fetchall()
        ledger = connection.execute(
            "SELECT DISTINCT status FROM payments WHERE processor_ref = ANY(%s)", (list(paid),)
        ).fetchall()
    assert log == ([(trace.logged,)] if trace.logged else [])
    assert ledger == [(trace.ledger,)]
    with redis.Redis.from_url(lab.redis_url) as client:
        seen = client.exists(*(f"stripe_event:{id_}" for id_ in ids))
    assert seen == (len(ids) if trace.seen else 0)
    signed = signature_header(lab.webhook_secret, HARMLESS, int(time.time()))
    assert answer(lab.webhook_endpoint) == trace.unsigned
    assert answer(lab.webhook_endpoint, HARMLESS, **{"Stripe-Signature": signed}) == trace.signed
    with psycopg.connect(lab.postgres_dsn) as connection:
        connection.execute("DELETE FROM webhook_events WHERE event_id = 'evt_probe'")
    with redis.Redis.from_url(lab.redis_url) as client:
        client.delete("stripe_event:evt_probe")


def test_every_scenario_of_the_path_names_its_cause() -> None:
    words = {cause.value for cause in Cause} - {Cause.UNDELIVERED.value}
    named = {one: scenario.load_scenario(one).causes for one in scenario.scenario_ids()}
    assert set().union(*named.values()) == words
    # These have tests of their own, here and beside.
    others = {
        "payments-stuck-pending",
        "webhook-endpoint-down",
        "webhook-event-never-generated",
        "webhook-replay-attack",
        "webhook-timeouts",
    }
    assert set(TRACES) | others == PATH
    assert scenario.load_scenario("payments-stuck-pending").causes_in(system("debtflow")) == {
        "answered-not-processed"
    }


def test_an_event_that_never_was(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-event-never-generated")
    before = lost(lab, "webhook-event-never-generated")
    ids = {event["id"] for event in before}
    stripe = Control("stripe", lab.stripe_control_url)
    events = stripe.get("/objects?type=event&limit=5000")["objects"]
    assert not ids & {event["id"] for event in events}
    intents = {event["data"]["object"]["id"] for event in before}
    # Everything else told of them: the charge, and that it was begun.
    about = [e for e in events if (e["data"]["object"].get("payment_intent")) in intents]
    assert {event["type"] for event in about} >= {"charge.succeeded"}
    assert stripe.get(f"/objects/{min(intents)}")["status"] == "succeeded"


def test_swallowed_without_a_row(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-events-swallowed", logged=0)
    ids = [event["id"] for event in lost(lab, "webhook-events-swallowed")]
    with psycopg.connect(lab.postgres_dsn) as connection:
        found = connection.execute(
            "SELECT count(*) FROM webhook_events WHERE event_id = ANY(%s)", (ids,)
        ).fetchone()
    assert found == (0,)


def test_swapped_secrets_fit_the_other_path(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-secrets-swapped")
    now = int(time.time())
    for url, secret, status in (
        (lab.webhook_endpoint, lab.webhook_secret, 400),
        (lab.webhook_endpoint, lab.second_webhook_secret, 200),
        (lab.second_webhook_endpoint, lab.second_webhook_secret, 400),
        (lab.second_webhook_endpoint, lab.webhook_secret, 200),
    ):
        signed = signature_header(secret, HARMLESS, now)
        assert answer(url, HARMLESS, **{"Stripe-Signature": signed}) == status
    endpoints = Control("stripe", lab.stripe_control_url).get("/objects?type=webhook_endpoint")
    assert {one["url"] for one in endpoints["objects"]} == {
        lab.webhook_endpoint,
        lab.second_webhook_endpoint,
    }


def test_the_date_header_tells_of_a_clock_that_is_off(lab: LabInfo) -> None:
    from email.utils import parsedate_to_datetime

    laboratory.inject(Path(lab.dir), "clock-skew", seconds=1800)
    parts = urlsplit(lab.webhook_endpoint)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.request("POST", parts.path, b"{}")
    date = connection.getresponse().headers["Date"]
    connection.close()
    assert 1795 <= parsedate_to_datetime(date).timestamp() - time.time() <= 1805


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("webhook-endpoint-fails", "webhook-events-failed"),
        ("webhook-endpoint-disabled", "webhook-processed-twice"),
        ("webhook-events-swallowed", "webhook-out-of-order"),
        ("payments-stuck-pending", "webhook-endpoint-down"),
        ("webhook-event-never-generated", "webhook-type-not-subscribed"),
        ("webhook-processed-twice", "webhook-redirect"),
    ],
)
def test_two_at_once_lose_different_payments_and_heal_in_any_order(
    lab: LabInfo, first: str, second: str
) -> None:
    from lab.scenarios.test_scenarios import state

    place, before = Path(lab.dir), state(lab)
    laboratory.inject(place, first)
    laboratory.inject(place, second)
    held = [
        set(json.loads((place / "scenarios" / f"{one}.json").read_text())["held"])
        for one in (first, second)
    ]
    assert not held[0] & held[1]
    laboratory.heal(place, first)
    laboratory.heal(place, second)
    assert state(lab) == before


def test_an_endpoint_that_takes_nothing_has_not_taken_the_newest_either(lab: LabInfo) -> None:
    """Where another scenario has the newest payments, there are newer events of no meaning."""
    place = Path(lab.dir)
    laboratory.inject(place, "webhook-events-failed")
    laboratory.inject(place, "webhook-signature-mismatch")
    stripe = Control("stripe", lab.stripe_control_url)
    newest = stripe.get("/objects?type=event&limit=3")["objects"]
    assert [(each["type"], each["pending_webhooks"]) for each in newest] == [
        ("product.updated", 1)
    ] * 3
    laboratory.heal(place)
    (event,) = stripe.get("/objects?type=event&limit=1")["objects"]
    assert event["type"] != "product.updated"


def test_what_contradicts_is_refused(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-redirect")
    with pytest.raises(LabError, match="cannot be in force beside webhook-redirect"):
        laboratory.inject(Path(lab.dir), "webhook-login-wall")


def test_payments_from_now_on_meet_the_fault_as_well(lab: LabInfo) -> None:
    from payops.lab.merchant.traffic import send_payments

    laboratory.inject(Path(lab.dir), "webhook-events-failed")
    placed = send_payments(lab.app_url, 2, payment_method="pm_card_visa")
    end = time.monotonic() + 5
    while True:
        with psycopg.connect(lab.postgres_dsn) as connection:
            found = connection.execute(
                "SELECT p.status, e.error FROM payments p JOIN webhook_events e "
                "ON e.payload -> 'data' -> 'object' ->> 'id' = p.processor_ref "
                "WHERE e.type = 'payment_intent.succeeded' AND p.order_id = ANY(%s) "
                "AND e.status = 'failed'",
                (list(placed.orders),),
            ).fetchall()
        if len(found) == 2:
            break
        assert time.monotonic() < end
        time.sleep(0.05)
    assert {status for status, _ in found} == {"pending"}
    assert all(error.startswith("InjectedError") for _, error in found)


def test_stripe_sends_again_what_it_owes_once_the_endpoint_is_well(lab: LabInfo) -> None:
    from lab.scenarios.test_scenarios import state

    before = state(lab)
    laboratory.inject(Path(lab.dir), "webhook-endpoint-fails")
    wanted = next(
        event
        for event in lost(lab, "webhook-endpoint-fails")
        if event["type"] == "payment_intent.succeeded"
    )
    Control("merchant", lab.app_control_url).put("/faults", {"webhook": None})
    stripe = Control("stripe", lab.stripe_control_url)
    (endpoint,) = stripe.get("/objects?type=webhook_endpoint")["objects"]
    again = f"{lab.stripe_url}/v1/events/{wanted['id']}/retry"
    asked = f"webhook_endpoint={endpoint['id']}".encode()
    assert answer(again, asked, Authorization=f"Bearer {lab.secret_key}") == 200
    end = time.monotonic() + 5
    while stripe.get(f"/objects/{wanted['id']}")["pending_webhooks"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    with psycopg.connect(lab.postgres_dsn) as connection:
        row = connection.execute(
            "SELECT status FROM payments WHERE processor_ref = %s",
            (wanted["data"]["object"]["id"],),
        ).fetchone()
    assert row == ("succeeded",)
    laboratory.heal(Path(lab.dir))
    assert state(lab) == before
