"""The control endpoint, the status page and the HTTP manners of the API."""

import dataclasses
import json
import socket

import pytest
import requests

from payops.lab.stripe import Simulator, default_key
from payops.lab.stripe.requestlog import RequestLog


@pytest.mark.parametrize(
    ("state", "indicator"), [("up", "none"), ("degraded", "minor"), ("down", "critical")]
)
def test_the_status_page_has_three_shapes(sim, control, state, indicator):
    control.put("/status", {"state": state, "message": "Look here"})

    def page(path):
        return requests.get(sim.status_url + path, timeout=5).json()

    assert page("/current")["largestatus"] == state
    assert {"message", "time", "statuses"} <= set(page("/current"))
    assert page("/current/full")["UptimeStatus"] == state
    assert {"key", "title", "warning"} == set(page("/current/full")["uptimeData"][0])
    assert page("/api/v2/status.json")["status"] == {
        "indicator": indicator,
        "description": "Look here",
    }
    control.put("/status", {"unknown_shape": True})
    assert "largestatus" not in page("/current")
    control.post("/reset")
    assert page("/current")["largestatus"] == "up"
    assert control.refusal("PUT", "/status", {"state": "sideways"})[0] == 400


def test_objects_are_put_completed_listed_and_deleted(client, control):
    lines = b"\n".join(
        json.dumps({"object": "charge", "id": f"ch_{n}", "created": n, "amount": 5}).encode()
        for n in range(1, 4)
    )
    assert control.put("/objects", lines) == {"stored": 3}
    assert [made.id for made in client.v1.charges.list().data] == ["ch_3", "ch_2", "ch_1"]
    assert client.v1.charges.retrieve("ch_1").amount_refunded == 0
    control.put("/objects", {"object": "charge", "id": "ch_2", "created": 2, "amount": 9})
    assert [made.amount for made in client.v1.charges.list().data] == [5, 9, 5]
    control.delete("/objects/ch_2")
    assert [m["id"] for m in control.get("/objects?type=charge")["objects"]] == ["ch_3", "ch_1"]
    assert control.refusal("DELETE", "/objects/ch_2")[0] == 404
    assert control.refusal("PUT", "/objects", [{"id": "x"}])[0] == 400
    assert control.refusal("PATCH", "/objects")[0] == 404


def test_unknown_kinds_are_stored_and_retrieved(client, control):
    control.put("/objects", {"object": "invoice", "id": "in_1", "created": 5, "total": 7})
    assert client.raw_request("get", "/v1/invoices/in_1").data["total"] == 7


def test_a_snapshot_brings_everything_back(client, control, intents):
    control.post("/snapshot", {"name": "before"})
    control.delete(f"/objects/{intents[0]}")
    client.v1.payment_intents.create({"amount": 5, "currency": "usd"})
    control.post("/restore", {"name": "before"})
    listed = client.v1.payment_intents.list({"limit": 100}).data
    assert [made.id for made in listed] == intents
    assert control.refusal("POST", "/restore", {"name": "never"})[0] == 404
    assert control.refusal("POST", "/snapshot", {"name": "../x"})[0] == 400


def test_control_is_not_for_browsers(sim):
    headers = {"Origin": "http://evil.example"}
    answer = requests.post(sim.control_url + "/reset", headers=headers, timeout=5)
    assert answer.status_code == 403


def test_a_file_is_loaded(client, control, tmp_path):
    path = tmp_path / "objects.ndjson"
    path.write_text('{"object":"charge","id":"ch_1","created":3}\n\n', "utf-8")
    assert control.post("/load", {"path": str(path)}) == {"stored": 1}
    path.write_text('{"object":"charge","id":"ch_2","created":3}\n{"oops\n', "utf-8")
    status, message = control.refusal("POST", "/load", {"path": str(path)})
    assert status == 400
    assert "line 2" in message
    assert control.refusal("POST", "/load", {"path": str(tmp_path / "none")})[0] == 404


def test_requests_are_counted(client, control, intents):
    list(client.v1.payment_intents.list({"limit": 10}).auto_paging_iter())
    client.v1.payment_intents.retrieve(intents[0])
    counted = control.get("/requests")
    assert counted["total"] == 4
    assert counted["by_operation"] == {
        "GET /v1/payment_intents": 3,
        "GET /v1/payment_intents/{id}": 1,
    }
    assert counted["by_status"] == {"200": 4}
    assert counted["requests"][0]["params"] == "limit=10"
    assert default_key() not in json.dumps(counted)
    assert control.delete("/requests") == {"total": 0}


def test_headers_of_an_answer(client):
    answer = client.v1.balance.retrieve().last_response
    assert answer.request_id.startswith("req_")
    assert len(answer.request_id) == 18
    assert answer.headers["Stripe-Version"] == client._requestor._options.stripe_version
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/charges/ch_none", 404),
        ("DELETE", "/v1/charges/ch_1", 404),
        ("PUT", "/v1/charges", 404),
        ("HEAD", "/v1/charges", 200),
        ("OPTIONS", "/v1/charges", 200),
        ("GET", "/v1/charges?limit[=1", 400),
        ("GET", "/v1/charges?limit=1&limit[a]=1", 400),
    ],
)
def test_http_manners(sim, method, path, status):
    headers = {"Authorization": f"Bearer {default_key()}", "Stripe-Version": "2024-06-20"}
    answer = requests.request(method, sim.url + path, headers=headers, timeout=5)
    assert answer.status_code == status
    assert answer.headers["Request-Id"].startswith("req_")
    if status == 404:
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_malformed_http_is_a_400_and_disturbs_nobody(sim, client):
    for nonsense in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", sim.api_server.port), timeout=5) as raw:
            raw.sendall(nonsense)
            assert raw.recv(100).startswith(b"HTTP/1.1 4")
    with socket.create_connection(("127.0.0.1", sim.api_server.port), timeout=5) as raw:
        raw.sendall(b"GET /v1/charges HTTP/1.1\r\nHost: x")
    assert client.v1.balance.retrieve().object == "balance"


def test_what_control_has_set_outlives_a_restart(tmp_path, config, control_of):
    with Simulator(tmp_path, config).running() as sim:
        set_up = control_of(sim)
        set_up.put("/faults", [{"kind": "refuse"}])
        set_up.put("/keys", {"key": default_key(), "revoked": True})
        set_up.put("/status", {"state": "down"})
        set_up.put("/rate_limits", {"test": 3})
        set_up.post("/clock", {"offset_s": 60})
        set_up.put("/webhook_endpoints/we_1", {"url": "http://127.0.0.1:1/", "secret": "s"})
        set_up.put("/webhook_endpoints/we_1", {"status": "disabled"})
        before = set_up.get("/state")
    endpoint = {"id": "we_1", "url": "http://127.0.0.1:2/", "secret": "t"}
    config = dataclasses.replace(config, webhook_endpoints=(endpoint,))
    with Simulator(tmp_path, config).running() as sim:
        after = control_of(sim).get("/state")
        kept = {"faults", "keys", "status_page", "clock_offset_s", "rate_limits", "objects"}
        assert {n: after[n] for n in kept} == {n: before[n] for n in kept}
        endpoint = sim.store.get("we_1")
        assert (endpoint["status"], endpoint["url"]) == ("disabled", "http://127.0.0.1:2/")
        assert sim.webhooks.secrets() == {"we_1": "t"}
        with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
            requests.get(sim.url, timeout=5)


def test_the_request_log_is_bounded():
    log = RequestLog()
    for number in range(2000):
        log.add({"operation": f"GET /{number}", "status": 404})
    assert len(log.recent) == 1000
    assert log.by_operation["other"] == 1500
    assert log.total == 2000
