"""Who may ask what, and how often."""

import time
from pathlib import Path

import pytest
import stripe

from payops.lab.stripe import Config, Simulator, default_key
from payops.lab.stripe.errors import StripeError
from payops.lab.stripe.keys import ApiKey, masked
from payops.lab.stripe.limits import Limits, RateLimiter

RESTRICTED = "rk_" + "test_" + "a" * 20 + "wxyz"


def test_an_unknown_key_is_masked_in_the_message(sim, connect):
    with pytest.raises(stripe.AuthenticationError) as raised:
        connect(sim, "sk_" + "test_" + "x" * 20 + "abcd").v1.balance.retrieve()
    assert raised.value.http_status == 401
    message = "Invalid API Key provided: sk_" + "test_" + "*" * 20 + "abcd"
    assert raised.value.user_message == message


def test_a_revoked_key_is_expired(sim, client, control):
    control.put("/keys", {"key": default_key(), "revoked": True})
    with pytest.raises(stripe.AuthenticationError) as raised:
        client.v1.balance.retrieve()
    assert raised.value.error.code == "api_key_expired"
    control.post("/reset")
    assert client.v1.balance.retrieve().object == "balance"


def test_a_restricted_key_is_told_what_it_lacks(sim, connect, control):
    control.put("/keys", {"key": RESTRICTED, "permissions": {"payment_intents": "read"}})
    restricted = connect(sim, RESTRICTED)
    assert restricted.v1.payment_intents.list().data == []
    for asked, permission in (
        (restricted.v1.charges.list, "rak_charge_read"),
        (restricted.v1.accounts.retrieve_current, "rak_accounts_kyc_basic_read"),
        (
            lambda: restricted.v1.payment_intents.create({"amount": 5, "currency": "usd"}),
            "rak_payment_intent_write",
        ),
    ):
        with pytest.raises(stripe.PermissionError, match=permission) as raised:
            asked()
        assert raised.value.http_status == 403
        assert RESTRICTED not in str(raised.value)


def test_a_publishable_key_is_not_enough(sim, connect, control):
    publishable = "pk_" + "test_" + "a" * 24
    control.put("/keys", {"key": publishable})
    with pytest.raises(stripe.PermissionError, match="publishable") as raised:
        connect(sim, publishable).v1.balance.retrieve()
    assert raised.value.http_status == 403


def test_basic_and_missing_authorization(sim):
    import requests

    url = f"{sim.url}/v1/account"
    assert requests.get(url, auth=(default_key(), ""), timeout=5).status_code == 200
    refused = requests.get(url, timeout=5)
    assert refused.status_code == 401
    assert "You did not provide an API key" in refused.json()["error"]["message"]
    assert refused.headers["WWW-Authenticate"].startswith("Basic")


def test_masking_leaves_prefix_and_end():
    assert masked("whatever1234") == "********1234"
    assert masked(RESTRICTED, 6) == "rk_" + "test_" + "*" * 18 + "aawxyz"


def test_account_and_connected_accounts(sim, client, control):
    account = client.v1.accounts.retrieve_current()
    assert client.v1.accounts.retrieve(account.id).id == account.id
    with pytest.raises(stripe.PermissionError) as raised:
        client.v1.accounts.retrieve("acct_none")
    assert raised.value.error.code == "account_invalid"
    control.put("/objects", {"object": "account", "id": "acct_other"})
    charge = {"object": "charge", "id": "ch_1", "created": 5, "amount": 7, "livemode": False}
    control.put("/objects", {"objects": [charge], "account": "acct_other"})
    assert client.v1.charges.list().data == []
    connected = client.v1.charges.list({}, {"stripe_account": "acct_other"})
    assert [made.id for made in connected.data] == ["ch_1"]


@pytest.mark.parametrize(
    ("livemode", "operations", "admitted"),
    [(False, 1, 25), (False, 3, 25), (True, 1, 25), (True, 3, 75), (True, 5, 100)],
)
def test_exactly_the_limit_passes_in_a_second(livemode, operations, admitted):
    now = 100.0
    limiter = RateLimiter(Limits(), time=lambda: now)

    def burst():
        passed = 0
        for number in range(200):
            try:
                limiter.admit(f"GET /v1/{number % operations}", livemode)
            except StripeError:
                continue
            passed += 1
        return passed

    assert burst() == admitted
    now += 0.999
    assert burst() == 0
    now += 0.001
    assert burst() == admitted


def test_a_burst_over_the_wire_is_limited(tmp_path: Path, connect):
    with Simulator(tmp_path, Config(rate_limits=Limits(test=5))).running() as sim:
        client = connect(sim)
        client.v1.balance.retrieve()
        time.sleep(1.05)
        errors = []
        started = time.monotonic()
        for _ in range(12):
            try:
                client.v1.payment_intents.retrieve("pi_none")
            except stripe.StripeError as error:
                errors.append(error)
        assert time.monotonic() - started < 4
        limited = [e for e in errors if isinstance(e, stripe.RateLimitError)]
        assert len(limited) == 7
        assert limited[0].error.code == "rate_limit"
        assert limited[0].headers["Stripe-Rate-Limited-Reason"] == "global-rate"
        assert "Retry-After" not in limited[0].headers


def test_limits_are_switched_while_it_runs(sim, client, control):
    control.put("/rate_limits", {"test": 1})
    client.v1.balance.retrieve()
    with pytest.raises(stripe.RateLimitError):
        client.v1.balance.retrieve()
    control.put("/rate_limits", False)
    client.v1.balance.retrieve()


def test_a_key_may_write_what_it_may_read():
    key = ApiKey("rk", False, {"charges": "write", "refunds": "read"})
    key.require("charges", "read", "acct")
    key.require("refunds", "read", "acct")
    with pytest.raises(StripeError):
        key.require("refunds", "write", "acct")


PUBLISHABLE = "pk_" + "test_" + "a" * 24


def intent(control, account=None):
    made = {
        "object": "payment_intent",
        "id": "pi_1",
        "amount": 7,
        "created": 5,
        "livemode": False,
        "metadata": {"order": "private"},
        "client_secret": "pi_1_secret_x",
    }
    control.put("/objects", {"objects": [made], **({"account": account} if account else {})})


def test_a_publishable_key_reads_a_payment_whose_client_secret_it_has(sim, connect, control):
    intent(control)
    control.put("/keys", {"key": PUBLISHABLE})
    browser = connect(sim, PUBLISHABLE).v1.payment_intents
    assert browser.retrieve("pi_1", {"client_secret": "pi_1_secret_x"}).amount == 7
    assert "metadata" not in browser.retrieve("pi_1", {"client_secret": "pi_1_secret_x"})
    with pytest.raises(stripe.InvalidRequestError, match="does not match"):
        browser.retrieve("pi_1", {"client_secret": "pi_1_secret_y"})
    with pytest.raises(stripe.PermissionError, match="publishable"):
        browser.retrieve("pi_1")
    with pytest.raises(stripe.PermissionError, match="publishable"):
        browser.list({"limit": 1})


def test_a_key_of_another_account_sees_nothing_of_this_one(sim, connect, control):
    intent(control)
    other = "sk_" + "test_" + "b" * 24
    for key in (PUBLISHABLE, other):
        control.put("/keys", {"key": key, "account": "acct_elsewhere"})
    stranger = connect(sim, other).v1
    assert stranger.accounts.retrieve_current().id == "acct_elsewhere"
    assert stranger.payment_intents.list().data == []
    for asked in (stranger.payment_intents, connect(sim, PUBLISHABLE).v1.payment_intents):
        with pytest.raises(stripe.InvalidRequestError) as raised:
            asked.retrieve("pi_1", {"client_secret": "pi_1_secret_x"})
        assert raised.value.http_status == 404


def test_a_key_that_was_added_is_taken_away_again(sim, connect, control):
    control.put("/keys", {"key": PUBLISHABLE})
    control.put("/keys", {"key": PUBLISHABLE, "removed": True})
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        connect(sim, PUBLISHABLE).v1.balance.retrieve()
