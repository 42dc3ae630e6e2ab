"""Idempotency keys: what is replayed, refused and forgotten."""

import threading

import pytest
import stripe

PAYMENT = {
    "amount": 900,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
}


def create(client, key="key-1", **more):
    return client.v1.payment_intents.create({**PAYMENT, **more}, {"idempotency_key": key})


def test_the_first_answer_is_given_again(client, sim):
    first = create(client)
    again = create(client)
    assert again.id == first.id
    assert again.last_response.body == first.last_response.body
    headers = again.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.request_id
    assert again.last_response.request_id != first.last_response.request_id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert sim.store.counts()["payment_intent"] == 1


def test_other_parameters_are_refused(client):
    create(client)
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as raised:
        create(client, amount=901)
    assert raised.value.http_status == 400


def test_another_endpoint_is_refused(client):
    create(client)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.refunds.create({"charge": "ch_x"}, {"idempotency_key": "key-1"})


def test_a_decline_is_given_again(client, sim):
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            create(client, payment_method="pm_card_visa_chargeDeclined")
    assert sim.store.counts()["charge"] == 1


def test_a_500_is_given_again_after_the_fault_is_over(client, control):
    control.put("/faults", [{"kind": "status", "status": 500, "times": 1}])
    messages = []
    for _ in range(2):
        with pytest.raises(stripe.APIError) as raised:
            create(client)
        messages.append(raised.value.http_body)
        assert raised.value.http_status == 500
    assert messages[0] == messages[1]
    assert raised.value.headers["Idempotent-Replayed"] == "true"
    assert create(client, key="key-2").status == "succeeded"


def test_a_refused_parameter_leaves_the_key_free(client):
    with pytest.raises(stripe.InvalidRequestError):
        create(client, amount=0)
    assert create(client).status == "succeeded"


def test_the_same_key_at_the_same_time_conflicts(client, connect, sim, control, eventually):
    control.put("/faults", [{"kind": "latency", "ms": 600, "times": 1}])
    done = []
    other = connect(sim)
    thread = threading.Thread(target=lambda: done.append(create(other)))
    thread.start()
    eventually(lambda: sim.api.faults.active[0].hits)
    with pytest.raises(stripe.StripeError) as raised:
        create(client)
    assert raised.value.http_status == 409
    thread.join()
    assert create(client).id == done[0].id


def test_a_get_takes_no_notice(client):
    options = {"idempotency_key": "key-9"}
    client.v1.payment_intents.list({}, options)
    create(client, key="key-9")
    assert len(client.v1.payment_intents.list({}, options).data) == 1


def test_executed_and_lost_then_retried_makes_one_charge(client, control, sim):
    control.put("/faults", [{"kind": "reset", "executes": True, "times": 1}])
    with pytest.raises(stripe.APIConnectionError):
        create(client)
    assert create(client).status == "succeeded"
    assert sim.store.counts()["charge"] == 1
