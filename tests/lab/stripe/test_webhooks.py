"""Deliveries: signed, retried, counted down, and never sent off this machine."""

import json
import time

import pytest
import stripe

from payops.lab.stripe.delivery import NotLoopbackError, loopback_address

SECRET = "whsec_" + "lab"


@pytest.fixture
def endpoint(control, receiver):
    def make(id_="we_1", **more):
        control.put(f"/webhook_endpoints/{id_}", {"url": receiver.url, "secret": SECRET, **more})
        return id_

    return make


def create(client):
    return client.v1.payment_intents.create({"amount": 700, "currency": "usd"})


def test_an_event_arrives_signed(client, endpoint, receiver, eventually):
    endpoint()
    intent = create(client)
    eventually(lambda: receiver.got)
    headers, body = receiver.got[0]
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
    assert (event.type, event.data.object.id) == ("payment_intent.created", intent.id)
    assert headers["User-Agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_other")
    eventually(lambda: client.v1.events.list().data[0].pending_webhooks == 0)
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_failures_are_retried_and_counted(client, endpoint, receiver, eventually, control):
    receiver.statuses = [500, 302, 200]
    endpoint()
    create(client)
    eventually(lambda: len(receiver.got) == 3)
    eventually(lambda: client.v1.events.list({"delivery_success": True}).data)
    (delivery,) = control.get("/deliveries")["deliveries"]
    assert (delivery["state"], delivery["attempts"]) == ("succeeded", 3)
    assert len({body for _, body in receiver.got}) == 1


def test_an_undelivered_event_is_found(client, endpoint, receiver, eventually, control):
    receiver.statuses = [500]
    endpoint()
    create(client)
    eventually(lambda: receiver.got)
    (event,) = client.v1.events.list({"delivery_success": False}).data
    assert event.pending_webhooks == 1
    receiver.statuses = [200]
    eventually(lambda: not client.v1.events.list({"delivery_success": False}).data)


def test_a_disabled_endpoint_never_gets_what_it_missed(
    client, endpoint, receiver, eventually, control
):
    id_ = endpoint()
    control.put(f"/webhook_endpoints/{id_}", {"status": "disabled"})
    assert client.v1.webhook_endpoints.retrieve(id_).status == "disabled"
    missed = create(client)
    control.put(f"/webhook_endpoints/{id_}", {"status": "enabled"})
    seen = create(client)
    eventually(lambda: receiver.got)
    assert [json.loads(b)["data"]["object"]["id"] for _, b in receiver.got] == [seen.id]
    assert missed.id not in str(receiver.got)


def test_types_and_modes_choose_the_endpoint(client, endpoint, receiver, eventually):
    endpoint("we_live", livemode=True)
    endpoint("we_charges", enabled_events=["charge.succeeded"])
    client.v1.payment_intents.create(
        {"amount": 700, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    eventually(lambda: receiver.got)
    assert receiver.types == ["charge.succeeded"]


def test_an_event_is_sent_again_on_request(client, endpoint, receiver, eventually):
    id_ = endpoint()
    create(client)
    eventually(lambda: len(receiver.got) == 1)
    event = client.v1.events.list().data[0]
    path = f"/v1/events/{event.id}/retry"
    client.raw_request("post", path, webhook_endpoint=id_)
    eventually(lambda: len(receiver.got) == 2)
    with pytest.raises(stripe.InvalidRequestError):
        client.raw_request("post", path, webhook_endpoint="we_none")


def test_control_makes_and_repeats_deliveries(client, endpoint, receiver, eventually, control):
    endpoint()
    event = {
        "object": "event",
        "id": "evt_1",
        "type": "charge.refunded",
        "created": 1_700_000_000,
        "livemode": False,
        "data": {"object": {"id": "ch_1", "object": "charge"}},
    }
    control.put("/objects", {"objects": [event], "deliver": True})
    eventually(lambda: receiver.types == ["charge.refunded"])
    control.post("/deliver", {"event": "evt_1"})
    eventually(lambda: len(receiver.got) == 2)


def test_a_given_up_delivery_stays_undelivered(sim, client, control, eventually, endpoint):
    endpoint(url="http://127.0.0.1:1/closed")
    create(client)
    (event,) = client.v1.events.list().data
    for _ in range(sim.config.delivery.attempts):
        due = next(iter(sim.webhooks.due(1, [])), None)
        if due is None:
            break
        sim.webhooks.record(due, None, "refused")
    eventually(
        lambda: control.get(f"/deliveries?event={event.id}")["deliveries"][0]["attempts"] > 1
    )
    assert client.v1.events.list({"delivery_success": False}).data[0].id == event.id


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "http://10.0.0.1/x", "https://127.0.0.1/x", "http://127.0.0.1.nip.io"],
)
def test_nothing_is_sent_off_this_machine(url, client, endpoint, control, eventually):
    with pytest.raises(NotLoopbackError):
        loopback_address(url)
    endpoint(url=url)
    create(client)
    eventually(lambda: control.get("/deliveries")["deliveries"][0]["attempts"])
    assert "loopback only" in control.get("/deliveries")["deliveries"][0]["last_error"]


def test_loopback_is_understood():
    assert loopback_address("http://localhost:81/a?b=c") == ("127.0.0.1", 81, "/a?b=c")
    assert loopback_address("http://[::1]") == ("::1", 80, "/")


def test_clock_skew_shows_in_dates_and_signatures(client, endpoint, receiver, eventually, control):
    endpoint()
    control.post("/clock", {"offset_s": -4000})
    intent = create(client)
    eventually(lambda: receiver.got)
    headers, body = receiver.got[0]
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
    assert intent.last_response.headers["Date"]
    control.post("/reset")


def test_deliveries_are_set_and_removed(client, control, endpoint, eventually, receiver):
    endpoint(enabled_events=["charge.refunded"])
    create(client)
    event = client.v1.events.list().data[-1]
    (made,) = control.get("/objects?type=webhook_endpoint")["objects"]
    owed = {"event": event.id, "endpoint": made["id"], "attempts": 5, "last_status": 500}
    control.put("/deliveries", {"set": [{**owed, "next_at": time.time() + 3600}]})
    (told,) = control.get("/deliveries")["deliveries"]
    assert (told["state"], told["attempts"], told["last_status"]) == ("pending", 5, 500)
    control.put("/deliveries", {"set": [owed]})
    eventually(lambda: len(receiver.got) == 1)
    control.put("/deliveries", {"remove": [event.id]})
    assert control.get("/deliveries")["deliveries"] == []


def test_an_event_may_never_be_generated(client, control):
    def types():
        paid = {"payment_method": "pm_card_visa", "confirm": True}
        client.v1.payment_intents.create({"amount": 700, "currency": "usd", **paid})
        return {event.type for event in client.v1.events.list().data}

    control.put("/muted", ["payment_intent.succeeded"])
    assert control.get("/state")["muted"] == ["payment_intent.succeeded"]
    assert types() == {"payment_intent.created", "charge.succeeded"}
    control.put("/muted", [])
    assert "payment_intent.succeeded" in types()


def test_two_endpoints_of_one_url_and_one_that_is_removed(client, control, receiver):
    for id_ in ("we_1", "we_2"):
        given = {"url": receiver.url, "secret": SECRET, "api_version": "2024-06-20"}
        control.put(f"/webhook_endpoints/{id_}", given)
    listed = client.v1.webhook_endpoints.list().data
    assert {(one.id, one.url, one.status, one.api_version) for one in listed} == {
        (id_, receiver.url, "enabled", "2024-06-20") for id_ in ("we_1", "we_2")
    }
    control.put("/webhook_endpoints", {"remove": "we_2"})
    assert [one.id for one in client.v1.webhook_endpoints.list().data] == ["we_1"]


def test_objects_are_removed(client, control):
    create(client)
    ids = [event.id for event in client.v1.events.list().data]
    assert control.put("/objects", {"remove": [*ids, "evt_none"]}) == {"stored": 0}
    assert client.v1.events.list().data == []
