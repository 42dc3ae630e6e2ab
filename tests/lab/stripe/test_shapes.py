"""Every field of Stripe's published examples is in the templates and in what is served."""

import json
from pathlib import Path

import pytest

from payops.lab.stripe import objects

FIXTURES = Path(__file__).parents[4] / "shared" / "stripe" / "fixtures3.json"
KINDS = (
    "account",
    "balance",
    "payment_intent",
    "charge",
    "refund",
    "dispute",
    "event",
    "balance_transaction",
    "payout",
    "customer",
    "checkout.session",
    "webhook_endpoint",
)


@pytest.fixture(scope="module")
def fixtures():
    if not FIXTURES.exists():
        pytest.skip("Stripe's fixtures3.json (stripe/openapi) is not beside the checkout")
    return json.loads(FIXTURES.read_text("utf-8"))["resources"]


def test_the_templates_are_the_kinds_that_are_served():
    assert set(objects.kinds()) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_has_every_field(fixtures, kind):
    assert set(objects.shape(kind)) >= set(fixtures[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_a_kind_lacks_is_refused(kind):
    with pytest.raises(KeyError, match=kind):
        objects.shape(kind, no_such_field=1)


@pytest.fixture
def served(sim, client, control):
    """One object of every kind, as the API serves it."""
    client.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "payment_method": "pm_card_createDispute",
            "confirm": True,
        }
    )
    charge = client.v1.charges.list().data[0].id
    client.v1.refunds.create({"charge": charge})
    control.put("/objects", {"object": "payout", "id": "po_1", "created": 5, "amount": 3})
    control.put("/objects", {"object": "customer", "id": "cus_1", "created": 5})
    control.put("/objects", {"object": "checkout.session", "id": "cs_test_1", "created": 5})
    control.put("/webhook_endpoints/we_1", {"url": "http://127.0.0.1:9/x", "secret": "s"})
    paths = {
        "account": "/v1/account",
        "balance": "/v1/balance",
        "checkout.session": "/v1/checkout/sessions/cs_test_1",
    }

    def one(kind):
        path = paths.get(kind)
        if path is None:
            listed = client.raw_request("get", f"/v1/{kind}s").data
            path = f"/v1/{kind}s/{listed['data'][0]['id']}"
        return client.raw_request("get", path).data

    return one


def test_what_is_served_has_every_field(fixtures, served):
    for kind in KINDS:
        made = served(kind)
        assert made["object"] == kind
        missing = set(fixtures[kind]) - set(made)
        assert not missing, f"{kind} lacks {missing}"
        assert "secret" not in made
