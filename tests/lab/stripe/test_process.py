"""The simulator as a process: ready file, restart, SIGKILL, SIGTERM, and its files."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from payops.lab.stripe import MalformedLineError, Store, config, default_key, load_ndjson
from payops.lab.stripe.forms import decode
from payops.lab.stripe.reads import page
from payops.lab.stripe.resources import RESOURCES

SRC = Path(__file__).parents[3] / "src"


@contextlib.contextmanager
def process(directory, *arguments):
    """A running simulator process and its ready file."""
    ready = directory / "stripe.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "payops.lab.stripe", "--dir", str(directory), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            end = time.monotonic() + 20
            while not ready.exists():
                assert running.poll() is None, "it ended at once"
                assert time.monotonic() < end, "it was not ready within 20 s"
                time.sleep(0.02)
            yield running, json.loads(ready.read_text("utf-8"))
        finally:
            if running.poll() is None:
                running.kill()


class _Urls:
    def __init__(self, described):
        self.url = described["url"]


def test_a_killed_simulator_goes_on_where_it_was(tmp_path, connect):
    payment = {
        "amount": 5000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
    }
    option = {"idempotency_key": "once"}
    with process(tmp_path) as (running, described):
        assert described["pid"] == running.pid
        client = connect(_Urls(described))
        first = client.v1.payment_intents.create(payment, option)
        running.send_signal(signal.SIGKILL)
        running.wait(5)
    with process(tmp_path) as (running, described):
        client = connect(_Urls(described))
        assert client.v1.payment_intents.retrieve(first.id).status == "succeeded"
        assert client.v1.payment_intents.create(payment, option).id == first.id
        assert len(client.v1.events.list().data) == 3
        started = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(5) == 0
        assert time.monotonic() - started < 4


def test_sigterm_does_not_wait_for_hanging_clients(tmp_path):
    with process(tmp_path) as (running, described):
        fault = json.dumps({"kind": "hang"}).encode()
        put = urllib.request.Request(described["control_url"] + "/faults", data=fault, method="PUT")
        with urllib.request.urlopen(put, timeout=5):
            pass
        port = int(described["url"].rpartition(":")[2])
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                raw = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                raw.sendall(b"GET /v1/charges HTTP/1.1\r\nHost: x\r\n\r\n")
            started = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert running.wait(5) == 0
            assert time.monotonic() - started < 4


def test_a_wrong_configuration_is_told_and_ends_it(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"colour": "red"}', "utf-8")
    command = [sys.executable, "-m", "payops.lab.stripe", "--dir", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--config", str(path)],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert "config.json: unknown configuration keys: colour" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_configuration_is_read(tmp_path):
    path = tmp_path / "config.json"
    key = default_key(livemode=True)
    given = {
        "account": {"id": "acct_x", "country": "IN", "charges_enabled": False},
        "keys": [{"key": key, "revoked": True, "permissions": {"events": "read"}}],
        "webhook_endpoints": [{"id": "we_1", "url": "http://127.0.0.1:1/", "secret": "s"}],
        "rate_limits": {"live": 7},
        "delivery": {"base_s": 1},
        "latency_ms": 3,
    }
    path.write_text(json.dumps(given), "utf-8")
    read = config.read(path)
    assert (read.account["country"], read.account["charges_enabled"]) == ("IN", False)
    assert read.account["object"] == "account"
    assert (read.keys[0].livemode, read.keys[0].revoked) == (True, True)
    assert (read.rate_limits.live, read.rate_limits.endpoint) == (7, 25)
    assert read.default_livemode is True
    for wrong in ({"keys": [{}]}, {"delivery": {"x": 1}}, {"webhook_endpoints": [{"id": "we"}]}):
        with pytest.raises(ValueError, match=r"webhook|wrong"):
            config.parse(wrong)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "s.sqlite")
    yield made
    made.close()


def test_a_malformed_line_is_named(store, tmp_path):
    path = tmp_path / "objects.ndjson"
    for wrong in ('{"object":"charge"', '{"id":"ch_1"}', "[]", '{"object":"charge","id":7}'):
        path.write_text('{"object":"charge","id":"ch_0","created":1}\n' + wrong + "\n", "utf-8")
        with pytest.raises(MalformedLineError, match=r"objects\.ndjson, line 2"):
            load_ndjson(store, path)


def test_loading_twice_changes_nothing(store, tmp_path):
    path = tmp_path / "objects.ndjson"
    lines = [f'{{"object":"charge","id":"ch_{n}","created":{n // 3}}}' for n in range(10)]
    path.write_text("\n".join([*lines, '{"object":"thing","id":"th_1"}']), "utf-8")
    (charges,) = (resource for resource in RESOURCES if resource.kind == "charge")
    pages = []
    for _ in range(2):
        assert load_ndjson(store, path) == 11
        pages.append(page(store, charges, "test", {"limit": "100"}))
    assert pages[0] == pages[1]
    assert store.counts() == {"charge": 10, "thing": 1}


def test_lists_are_index_ranges(store):
    from payops.lab.stripe.listing import statement
    from payops.lab.stripe.reads import list_query

    store.put({"object": "charge", "id": "ch_1", "created": 1})
    asked = {
        "payment_intent": "customer=c&created[gte]=1",
        "charge": "payment_intent=p&starting_after=ch_1",
        "refund": "charge=c",
        "dispute": "charge=c",
        "event": "delivery_success=false&created[gt]=1",
        "balance_transaction": "payout=p",
        "payout": "status=paid",
        "customer": "email=e",
        "checkout.session": "payment_intent=p",
    }
    for resource in RESOURCES:
        parameters = decode(asked.get(resource.kind, ""))
        sql, values = statement(list_query(store, resource, "test", parameters))
        plan = " ".join(row[3] for row in store.db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
        assert "SEARCH objects USING INDEX" in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        column = next(iter(decode(asked.get(resource.kind, ""))), "kind")
        column = {"delivery_success": "undelivered"}.get(column, column)
        assert f"{column}=?" in plan, plan


def test_forms_in_bracket_notation():
    assert decode("a[b][c]=1&a[b][d]=2") == {"a": {"b": {"c": "1", "d": "2"}}}
    assert decode("a[]=1&a[]=2") == {"a": ["1", "2"]}
    assert decode("a[1]=y&a[0]=x") == {"a": ["x", "y"]}
    assert decode("i[0][p]=1&i[0][q]=2&i[1][p]=3") == {"i": [{"p": "1", "q": "2"}, {"p": "3"}]}
    assert decode("i[][p]=1&i[][q]=2&i[][p]=3") == {"i": [{"p": "1", "q": "2"}, {"p": "3"}]}
    assert decode("m[order%20id]=%C3%A4&e=") == {"m": {"order id": "ä"}, "e": ""}
