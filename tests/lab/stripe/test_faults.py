"""Every fault as a client meets it on the wire, and the rules that choose the requests."""

import time

import pytest
import requests
import stripe

from payops.lab.stripe import default_key
from payops.lab.stripe.faults import Faults, parse

ANY = {"path": "/v1"}


@pytest.fixture
def get(sim):
    def ask(path="/v1/payment_intents", timeout=2.0):
        headers = {"Authorization": f"Bearer {default_key()}", "Connection": "close"}
        return requests.get(sim.url + path, headers=headers, timeout=timeout)

    return ask


def test_latency(control, get):
    control.put("/faults", [{"match": ANY, "kind": "latency", "ms": 200}])
    started = time.monotonic()
    assert get().status_code == 200
    assert time.monotonic() - started >= 0.2


def test_hang(control, get):
    control.put("/faults", [{"kind": "hang"}])
    with pytest.raises(requests.exceptions.ReadTimeout):
        get(timeout=0.3)
    control.delete("/faults")
    assert get().status_code == 200


def test_reset(control, get):
    control.put("/faults", [{"kind": "reset"}])
    with pytest.raises(requests.exceptions.ConnectionError, match="reset"):
        get()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, stripe.InvalidRequestError),
        (401, stripe.AuthenticationError),
        (403, stripe.PermissionError),
        (404, stripe.InvalidRequestError),
        (429, stripe.RateLimitError),
        (500, stripe.APIError),
        (503, stripe.APIError),
    ],
)
def test_status_is_the_sdks_typed_error(control, client, status, error):
    control.put("/faults", [{"kind": "status", "status": status}])
    with pytest.raises(error) as raised:
        client.v1.balance.retrieve()
    assert raised.value.http_status == status
    assert raised.value.request_id.startswith("req_")


def test_429(control, client):
    control.put("/faults", {"kind": "429", "match": "GET /v1/balance"})
    with pytest.raises(stripe.RateLimitError):
        client.v1.balance.retrieve()
    assert client.v1.charges.list().data == []


def test_wrong_json(control, client, get):
    control.put("/faults", [{"kind": "wrong_json"}])
    assert get().text.startswith("<html>")
    with pytest.raises(stripe.APIError, match="Invalid response body"):
        client.v1.balance.retrieve()


def test_cut_body(control, get):
    control.put("/faults", [{"kind": "cut_body"}])
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get()


def test_slow_body(control, get, intents):
    control.put("/faults", [{"kind": "slow_body", "ms": 300}])
    started = time.monotonic()
    assert len(get("/v1/payment_intents?limit=20").json()["data"]) == 20
    assert time.monotonic() - started >= 0.25


def test_refuse_and_heal(sim, control, get):
    url = sim.url
    control.put("/faults", [{"kind": "refuse"}])
    with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        get()
    assert control.get("/state")["faults"][0]["kind"] == "refuse"
    control.post("/reset")
    assert sim.url == url
    assert get().status_code == 200


def strikes(count, **fault):
    faults = Faults([{"kind": "status", **fault}])
    return [bool(faults.strike("GET /v1/x", "/v1/x")) for _ in range(count)]


def test_share_times_and_after_are_counted_not_drawn():
    assert strikes(4) == [True] * 4
    assert strikes(6, rate=0.5) == [False, True] * 3
    assert sum(strikes(1000, rate=0.3)) == 300
    assert strikes(4, times=2) == [True, True, False, False]
    assert strikes(4, after=3) == [False, False, False, True]
    assert strikes(2, rate=0) == [False, False]


def test_a_match_is_a_path_or_an_operation():
    fault = parse({"kind": "hang", "match": "GET /v1/charges/{id}"})
    assert fault.matches("GET /v1/charges/{id}", "/v1/charges/ch_1")
    assert not fault.matches("GET /v1/charges", "/v1/charges")
    assert parse({"kind": "hang", "match": "/v1/ch"}).matches("GET /v1/charges", "/v1/charges")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "fire"},
        {"kind": "hang", "colour": 1},
        {"kind": "hang", "match": {"a": "b"}},
        {"kind": "status", "status": 99},
        {"kind": "hang", "rate": "half"},
        {"kind": "hang", "rate": 2},
    ],
)
def test_a_wrong_fault_is_refused(control, wrong):
    assert control.refusal("PUT", "/faults", wrong)[0] == 400
    assert control.get("/state")["faults"] == []
