"""Lists, cursors, filters and expansion, asked by the official SDK."""

import random

import pytest
import stripe

from payops.lab.stripe import objects

CREATED = 1_700_000_000


def ids(page):
    return [made.id for made in page.data]


def test_a_list_gives_ten_by_default_newest_first(client, intents):
    page = client.v1.payment_intents.list()
    assert ids(page) == intents[:10]
    assert page.has_more
    assert page.url == "/v1/payment_intents"


def test_auto_paging_goes_forward_over_every_page(client, intents):
    pages = client.v1.payment_intents.list({"limit": 4})
    assert [made.id for made in pages.auto_paging_iter()] == intents


def test_ending_before_pages_towards_the_newest(client, intents):
    pages = client.v1.payment_intents.list({"limit": 4, "ending_before": intents[-1]})
    assert ids(pages) == intents[20:24]
    assert [made.id for made in pages.auto_paging_iter()] == intents[-2::-1]


def test_both_cursors_are_refused(client, intents):
    with pytest.raises(stripe.InvalidRequestError, match="both") as raised:
        client.v1.payment_intents.list({"starting_after": intents[0], "ending_before": intents[1]})
    assert raised.value.http_status == 400


def test_an_unknown_cursor_is_named(client, intents):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.payment_intents.list({"starting_after": "pi_none"})
    assert (raised.value.http_status, raised.value.code) == (400, "resource_missing")
    assert raised.value.param == "starting_after"


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (CREATED + 1, slice(15, 20)),
        ({"gt": CREATED + 3}, slice(0, 5)),
        ({"gte": CREATED + 3}, slice(0, 10)),
        ({"lt": CREATED + 1}, slice(20, 25)),
        ({"lte": CREATED + 1}, slice(15, 25)),
        ({"gte": CREATED + 1, "lt": CREATED + 2}, slice(15, 20)),
        ({"gt": CREATED + 4}, slice(0, 0)),
    ],
)
def test_created_bounds_are_whole_seconds(client, intents, created, expected):
    assert (
        ids(client.v1.payment_intents.list({"created": created, "limit": 100}))
        == (intents[expected])
    )


def test_a_filter_keeps_to_its_customer(client, intents):
    page = client.v1.payment_intents.list({"customer": "cus_1", "limit": 100})
    assert ids(page) == [i for n, i in enumerate(intents) if (24 - n) % 2 == 1]


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"limit": 0}, "limit", "parameter_invalid_integer"),
        ({"limit": 101}, "limit", "parameter_invalid_integer"),
        ({"limit": "many"}, "limit", "parameter_invalid_integer"),
        ({"status": "succeeded"}, "status", "parameter_unknown"),
        ({"created": {"after": 1}}, "created[after]", "parameter_unknown"),
        ({"created": "yesterday"}, "created", "parameter_invalid_integer"),
    ],
)
def test_wrong_parameters_are_named(client, parameters, param, code):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.payment_intents.list(parameters)
    assert (raised.value.http_status, raised.value.param, raised.value.code) == (400, param, code)


def test_objects_are_visible_to_keys_of_their_mode_only(sim, client, connect, intents):
    from payops.lab.stripe import default_key

    live = connect(sim, default_key(livemode=True))
    assert live.v1.payment_intents.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="exists in test mode") as raised:
        live.v1.payment_intents.retrieve(intents[0])
    assert raised.value.http_status == 404
    assert client.v1.payment_intents.retrieve(intents[0]).livemode is False


@pytest.fixture
def events(sim):
    types = ["charge.succeeded", "charge.failed", "payment_intent.succeeded", "charge.refunded"]
    rng = random.Random(3)
    for number in range(20):
        sim.store.put(
            objects.event(
                id=objects.new_id("evt", rng),
                type=types[number % 4],
                data_object={"id": "x", "object": "charge"},
                created=CREATED + number,
                livemode=False,
                pending_webhooks=number % 5 // 4,
            )
        )


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"type": "charge.failed"}, 5),
        ({"type": "charge.*"}, 15),
        ({"type": "*"}, 20),
        ({"type": "nothing.*"}, 0),
        ({"types": ["charge.failed", "payment_intent.succeeded"]}, 10),
        ({"delivery_success": False}, 4),
        ({"delivery_success": True}, 16),
        ({"delivery_success": False, "type": "charge.failed"}, 1),
        ({"delivery_success": False, "types": ["charge.failed", "charge.refunded"]}, 2),
        ({"type": "charge.*", "created": {"gte": CREATED + 10}}, 7),
    ],
)
def test_events_are_found_by_type_and_delivery(client, events, parameters, expected):
    page = client.v1.events.list({**parameters, "limit": 100})
    assert len(page.data) == expected
    created = [made.created for made in page.data]
    assert created == sorted(created, reverse=True)
    paged = client.v1.events.list({**parameters, "limit": 3}).auto_paging_iter()
    assert [made.id for made in paged] == ids(page)


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "charge.failed", "types": ["charge.failed"]},
        {"types": [f"charge.{n}" for n in range(21)]},
        {"delivery_success": "maybe"},
    ],
)
def test_contradicting_event_filters_are_refused(client, parameters):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.events.list(parameters)
    assert raised.value.http_status == 400


@pytest.fixture
def paid(client):
    """A paid PaymentIntent with a customer, refunded in part."""
    intent = client.v1.payment_intents.create(
        {"amount": 5000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1200})
    return intent.id


def test_expansion_reaches_into_objects_and_lists(client, paid):
    intent = client.v1.payment_intents.retrieve(
        paid, {"expand": ["latest_charge.balance_transaction", "latest_charge.refunds"]}
    )
    charge = intent.latest_charge
    assert charge.balance_transaction.net == 5000 - 145 - 30
    assert [refund.amount for refund in charge.refunds.data] == [1200]

    page = client.v1.payment_intents.list({"expand": ["data.latest_charge.balance_transaction"]})
    assert page.data[0].latest_charge.balance_transaction.source == charge.id
    page = client.v1.refunds.list({"expand": ["data.charge", "data.payment_intent"]})
    assert page.data[0].charge.id == charge.id
    assert page.data[0].payment_intent.id == paid
    page = client.v1.balance_transactions.list({"expand": ["data.source.payment_intent"]})
    assert {made.source.object for made in page.data} == {"charge", "refund"}
    assert page.data[0].source.payment_intent.id == paid


@pytest.mark.parametrize(
    ("expand", "message"),
    [
        (["customer"], "data.customer"),
        (["data.metadata"], "cannot be expanded"),
        (["data.latest_charge.refunds.data.charge"], "4 levels"),
        ("data.customer", "Invalid array"),
    ],
)
def test_wrong_expansions_are_refused(client, expand, message):
    with pytest.raises(stripe.InvalidRequestError, match=message) as raised:
        client.v1.payment_intents.list({"expand": expand})
    assert raised.value.http_status == 400


def test_every_list_of_the_tool_is_served(client, paid):
    v1 = client.v1
    lists = [
        v1.charges,
        v1.refunds,
        v1.disputes,
        v1.events,
        v1.balance_transactions,
        v1.payouts,
        v1.customers,
        v1.checkout.sessions,
        v1.webhook_endpoints,
        v1.radar.early_fraud_warnings,
    ]
    for service in lists:
        assert service.list().object == "list"
    assert v1.payouts.list({"arrival_date": {"gte": 1}, "status": "paid"}).data == []
    assert len(v1.charges.list({"payment_intent": paid}).data) == 1
    history = client.raw_request("get", "/v1/balance/history")
    assert len(client.deserialize(history, api_mode="V1").data) == 2


def test_a_charges_refunds_page_on_from_its_expansion(client):
    payment = {"amount": 5000, "currency": "usd", "payment_method": "pm_card_visa"}
    intent = client.v1.payment_intents.create(
        {**payment, "confirm": True, "expand": ["latest_charge"]}
    )
    charge = intent.latest_charge
    assert charge.payment_intent == intent.id
    for _ in range(12):
        client.v1.refunds.create({"charge": charge.id, "amount": 10})
    expanded = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert expanded.refunds.has_more
    assert len(list(expanded.refunds.auto_paging_iter())) == 12
