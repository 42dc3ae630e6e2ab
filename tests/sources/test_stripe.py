"""The Stripe source over the simulator, and over servers that are not Stripe."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import Struct

from payops.errors import Failure, SourceError
from payops.lab.stripe.config import default_key
from payops.sources.stripe import StripeSource
from sources.conftest import stripe_of
from sources.hanging import (
    at_most,
    closing,
    dripping,
    free_port,
    resetting,
    saying,
    serving,
    silent,
)

Control = Callable[..., Any]
NOW = int(time.time())


class Intent(Struct, frozen=True):
    id: str
    amount: int
    created: int


def fails(source: StripeSource, path: str = "/v1/account") -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.get(path, Intent)
    assert caught.value.source == "stripe"
    assert default_key() not in str(caught.value) + caught.value.hint
    return caught.value


def intents(control: Control, count: int, prefix: str) -> None:
    control(
        "PUT",
        "/objects",
        [
            {
                "object": "payment_intent",
                "id": f"pi_{prefix}{i:05}",
                "amount": i,
                "created": NOW - i,
                "livemode": False,
            }
            for i in range(count)
        ],
    )


def test_account(stripe: StripeSource) -> None:
    answer = stripe.account()
    assert answer.value.id.startswith("acct_")
    assert answer.value.charges_enabled is True
    assert answer.request_id == stripe.request_ids[0]
    assert answer.date is not None
    assert abs(answer.date - datetime.now(UTC)) < timedelta(seconds=5)
    assert 0 < answer.latency_ms < 5000
    assert stripe.calls == 1


def test_list_pages_until_the_end_or_at_most(stripe: StripeSource, control: Control) -> None:
    intents(control, 250, "page")
    since = {"gte": NOW - 300}
    whole = stripe.list("/v1/payment_intents", Intent, created=since)
    assert len(whole.items) == 250
    assert whole.complete
    assert len(whole.request_ids) == 3
    assert [i.created for i in whole.items] == sorted(
        (i.created for i in whole.items), reverse=True
    )
    some = stripe.list("/v1/payment_intents", Intent, at_most=120, created=since)
    assert some.items == whole.items[:120]
    assert not some.complete
    exact = stripe.list("/v1/payment_intents", Intent, at_most=250, created=since)
    assert exact.complete
    assert stripe.calls == 3 + 2 + 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Failure.REJECTED),
        (401, Failure.AUTHENTICATION),
        (402, Failure.REJECTED),
        (403, Failure.PERMISSION),
        (404, Failure.NOT_FOUND),
        (500, Failure.SERVER_ERROR),
        (503, Failure.SERVER_ERROR),
    ],
)
def test_each_status_is_a_kind(
    control: Control, simulator: Any, status: int, kind: Failure
) -> None:
    control("PUT", "/faults", {"kind": "status", "status": status})
    source = stripe_of(simulator.url)
    error = fails(source)
    assert error.kind is kind
    assert error.http_status == status
    assert error.request_id == source.request_ids[-1]
    # GET is tried once more when Stripe itself failed, and only then.
    assert source.calls == (2 if status >= 500 else 1)


def test_wrong_key_says_which(simulator: Any) -> None:
    error = fails(stripe_of(simulator.url, key="sk_test_WRONGWRONGWRONG4242"))
    assert error.kind is Failure.AUTHENTICATION
    assert "sk_test_…4242 (sha256 " in error.hint
    assert "WRONGWRONG" not in error.hint + error.message


def test_restricted_key_proves_that_it_is_valid(control: Control, simulator: Any) -> None:
    key = "rk_test_" + "r" * 24
    control("PUT", "/keys", {"key": key, "livemode": False, "permissions": {}})
    with pytest.raises(SourceError) as caught:
        stripe_of(simulator.url, key=key).account()
    assert caught.value.kind is Failure.PERMISSION
    assert not caught.value.does_not_answer
    assert "is valid" in caught.value.hint


def test_not_found_is_about_the_object(stripe: StripeSource) -> None:
    error = fails(stripe, "/v1/payment_intents/pi_none")
    assert error.kind is Failure.NOT_FOUND
    assert error.code == "resource_missing"


def test_429_is_retried_with_backoff(control: Control, stripe: StripeSource) -> None:
    control("PUT", "/faults", {"kind": "429", "times": 2})
    assert stripe.account().value.id
    assert stripe.calls == 3


@pytest.mark.parametrize(("kind", "tries", "sent"), [("429", 1, 1), ("429", 2, 2), ("reset", 1, 1)])
def test_no_more_requests_than_were_allowed(
    control: Control, stripe: StripeSource, kind: str, tries: int, sent: int
) -> None:
    control("PUT", "/faults", {"kind": kind})
    with pytest.raises(SourceError):
        stripe.get("/v1/account", Intent, tries=tries)
    assert stripe.calls == sent


def test_429_without_end_ends_within_the_deadline(control: Control, simulator: Any) -> None:
    control("PUT", "/faults", {"kind": "429"})
    with at_most(1):
        error = fails(stripe_of(simulator.url, seconds=1))
    assert error.kind is Failure.RATE_LIMITED


def test_a_lost_connection_is_tried_once_more(control: Control, stripe: StripeSource) -> None:
    control("PUT", "/faults", {"kind": "reset", "times": 1})
    assert stripe.account().value.id
    assert stripe.calls == 2
    control("PUT", "/faults", {"kind": "reset"})
    assert fails(stripe).kind is Failure.CLOSED
    assert stripe.calls == 4


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "wrong_json"}, Failure.BAD_ANSWER),
        ({"kind": "cut_body"}, Failure.BAD_ANSWER),
        ({"kind": "hang"}, Failure.TIMED_OUT),
        ({"kind": "slow_body", "ms": 5000}, Failure.TIMED_OUT),
        ({"kind": "latency", "ms": 5000}, Failure.TIMED_OUT),
        ({"kind": "refuse"}, Failure.REFUSED),
    ],
)
def test_faults(control: Control, simulator: Any, fault: dict[str, Any], kind: Failure) -> None:
    control("PUT", "/faults", fault)
    with at_most(0.5):
        assert fails(stripe_of(simulator.url, timeout=0.5)).kind is kind


def json_of(body: bytes) -> Any:
    return saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (silent, Failure.TIMED_OUT),
        (dripping(OK), Failure.TIMED_OUT),
        (dripping(b"HTTP/1.1 200 OK\r\n" + b"X-Long: 1\r\n" * 90), Failure.TIMED_OUT),
        (closing, Failure.CLOSED),
        (resetting, Failure.CLOSED),
        (saying(OK), Failure.BAD_ANSWER),
        (saying(b"SSH-2.0-OpenSSH_9.7\r\n"), Failure.BAD_ANSWER),
        (
            saying(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"),
            Failure.BAD_ANSWER,
        ),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"), Failure.BAD_ANSWER),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), Failure.BAD_ANSWER),
        (json_of(b'{"id": "pi_1", "amount": NaN, "created": 1}'), Failure.BAD_ANSWER),
        (json_of(b'{"id": "\xff", "amount": 1, "created": 1}'), Failure.BAD_ANSWER),
        (json_of(b'{"id": "pi_1", "x": ' + b"[" * 900 + b"]" * 900 + b"}"), Failure.BAD_ANSWER),
        (json_of(b"[" * 50_000), Failure.BAD_ANSWER),
        (saying(b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>"), Failure.SERVER_ERROR),
    ],
)
def test_servers_that_are_not_stripe(behave: Any, kind: Failure) -> None:
    with serving(behave) as port, at_most(0.5):
        source = stripe_of(f"http://127.0.0.1:{port}", timeout=0.5)
        error = fails(source)
        assert error.kind is kind
        assert error.does_not_answer
        assert error.hint
        source.close()


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "gzip"])
def test_an_answer_without_end_is_not_kept(packed: bool) -> None:
    body = b'{"id": "' + b"x" * 40 * 2**20
    head = b"HTTP/1.1 200 OK\r\n"
    if packed:  # 40 kB on the wire
        body, head = gzip.compress(body), head + b"Content-Encoding: gzip\r\n"
    with serving(saying(head + b"\r\n" + body)) as port:
        source = stripe_of(f"http://127.0.0.1:{port}", timeout=5)
        error = fails(source)
        source.close()
    assert error.kind is Failure.BAD_ANSWER
    assert "more than 16 MB" in error.message


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://no-such-host.invalid", Failure.DNS),
        ("http://127.0.0.1:{free}", Failure.REFUSED),
    ],
)
def test_no_way_there(url: str, kind: Failure) -> None:
    assert fails(stripe_of(url.replace("{free}", str(free_port())))).kind is kind


def test_tls_to_a_plain_server_is_a_tls_failure(simulator: Any) -> None:
    url = simulator.url.replace("http://", "https://")
    assert fails(stripe_of(url)).kind in (Failure.TLS, Failure.CLOSED)


def test_the_deadline_is_over(simulator: Any) -> None:
    with at_most(0):
        assert fails(stripe_of(simulator.url, seconds=0)).kind is Failure.TIMED_OUT


def test_the_own_budget_is_kept_and_is_not_stripes_fault(simulator: Any) -> None:
    source = stripe_of(simulator.url, rate=2, seconds=1.3)
    began = time.monotonic()
    for _ in range(3):
        source.account()
    assert time.monotonic() - began >= 0.45  # a burst of two, the third half a second later
    source.account()
    error = fails(source)
    assert "own budget" in error.message
    assert not error.does_not_answer


def test_what_is_sent(control: Control, stripe: StripeSource) -> None:
    control("DELETE", "/requests")
    stripe.list("/v1/events", Intent, at_most=1, delivery_success=False, types=["a.b", "c.d"])
    sent = str(control("GET", "/requests"))
    assert "delivery_success" in sent
    assert "elemetry" not in sent


def test_no_key_in_logs(stripe: StripeSource, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stripe.account()
    assert default_key() not in caplog.text
