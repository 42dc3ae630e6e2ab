"""The Stripe source on recorded exchanges: no network, no simulator.

The cassettes were recorded against the lab's simulator, never written by hand:

    PAYOPS_RECORD=1 pytest tests/sources/test_stripe_cassettes.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import vcr
from msgspec import Struct
from vcr.stubs.urllib3_stubs import VCRRequestsHTTPConnection

from payops.errors import Failure, SourceError
from payops.sources.stripe import StripeSource
from payops.sources.watched import WatchedHTTPPool
from sources.conftest import stripe_of

RECORDING = bool(os.environ.get("PAYOPS_RECORD"))
CASSETTES = Path(__file__).parent / "cassettes"
REPLAYED = "http://stripe.recorded"
# The same in both, so that what is recorded is what is asked for.
SINCE = 1767225600  # 2026-01-01T00:00:00Z


class Intent(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str


def without_port(request: Any) -> Any:
    request.uri = re.sub(r"^https?://[^/]+", REPLAYED, request.uri)
    request.headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() in ("stripe-version", "accept")
    }
    return request


def without_secrets(response: Any) -> Any:
    body = response["body"]["string"]
    response["body"]["string"] = re.sub(rb'(?<=")[a-z]+_\w+_secret_\w+', b"[redacted]", body)
    return response


@pytest.fixture
def source(request: pytest.FixtureRequest) -> Any:
    """`with source("name") as stripe:`; recording asks the simulator, replaying nobody."""
    simulator = request.getfixturevalue("simulator") if RECORDING else None
    control = request.getfixturevalue("control") if RECORDING else None

    @contextmanager
    def play(name: str, *setup: tuple[str, str, Any], key: str = "") -> Iterator[StripeSource]:
        path = CASSETTES / f"{name}.yaml"
        if RECORDING:
            path.unlink(missing_ok=True)
            for step in setup:
                control(*step)  # type: ignore[misc]
        recorder = vcr.VCR(
            record_mode="once" if RECORDING else "none",
            before_record_request=without_port,
            before_record_response=without_secrets,
            match_on=("method", "path", "query"),
            decode_compressed_response=True,
            custom_patches=((WatchedHTTPPool, "ConnectionCls", VCRRequestsHTTPConnection),),
        )
        stripe = stripe_of(simulator.url if simulator else REPLAYED, key=key)
        with recorder.use_cassette(str(path)) as cassette:
            yield stripe
            assert RECORDING or cassette.all_played
        stripe.close()

    return play


def objects(count: int) -> tuple[str, str, Any]:
    intents = [
        {
            "object": "payment_intent",
            "id": f"pi_recorded{i:04}",
            "amount": 1000 + i,
            "currency": "usd",
            "created": SINCE + i,
            "livemode": False,
            "status": "succeeded",
        }
        for i in range(count)
    ]
    return ("PUT", "/objects", intents)


def event(id_: str) -> dict[str, Any]:
    about = {"id": "pi_9", "object": "payment_intent", "amount": 5, "currency": "usd"}
    return {
        "object": "event",
        "id": id_,
        "type": "payment_intent.succeeded",
        "created": SINCE,
        "livemode": False,
        "data": {"object": about},
    }


def test_account(source: Any) -> None:
    with source("account") as stripe:
        answer = stripe.account()
    assert answer.value.id.startswith("acct_")
    assert answer.value.country == "US"
    assert answer.request_id.startswith("req_")
    assert answer.date.tzinfo is UTC


def test_two_pages(source: Any) -> None:
    with source("two_pages", objects(130)) as stripe:
        found = stripe.list(
            "/v1/payment_intents", Intent, created={"gte": SINCE, "lt": SINCE + 130}
        )
    assert len(found.items) == 130
    assert found.complete
    assert stripe.calls == len(found.request_ids) == 2
    assert found.items[0] == Intent("pi_recorded0129", 1129, "usd", "succeeded")


def test_undelivered(source: Any) -> None:
    nobody = {"url": "http://127.0.0.1:1/", "secret": "made-up", "enabled_events": ["*"]}
    setup = (
        ("PUT", "/webhook_endpoints/we_nobody", nobody),
        ("PUT", "/objects", {"objects": [event("evt_waiting")], "deliver": True}),
    )
    with source("undelivered", *setup) as stripe:
        found = stripe.undelivered_events(datetime.fromtimestamp(SINCE, UTC), 100)
    (waiting,) = [each for each in found.items if each.id == "evt_waiting"]
    assert waiting.pending_webhooks == 1
    assert waiting.type == "payment_intent.succeeded"
    assert (waiting.object_id, waiting.amount, waiting.currency) == ("pi_9", 5, "usd")
    assert waiting.payment_intent == "pi_9"


@pytest.mark.parametrize(
    ("name", "fault", "kind", "calls"),
    [
        ("unauthorized", {"kind": "status", "status": 401}, Failure.AUTHENTICATION, 1),
        ("forbidden", {"kind": "status", "status": 403}, Failure.PERMISSION, 1),
        ("failing", {"kind": "status", "status": 500}, Failure.SERVER_ERROR, 2),
        ("not_json", {"kind": "wrong_json"}, Failure.BAD_ANSWER, 1),
    ],
)
def test_errors(source: Any, name: str, fault: Any, kind: Failure, calls: int) -> None:
    with source(name, ("PUT", "/faults", fault)) as stripe, pytest.raises(SourceError) as caught:
        stripe.account()
    assert caught.value.kind is kind
    assert stripe.calls == calls


def test_limited_then_answered(source: Any) -> None:
    with source("limited", ("PUT", "/faults", {"kind": "429", "times": 1})) as stripe:
        assert stripe.account().value.id
    assert stripe.calls == 2


def test_no_secret_and_no_port_in_a_cassette() -> None:
    recorded = list(CASSETTES.glob("*.yaml"))
    assert recorded
    for path in recorded:
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"_secret_|(sk|rk)_(test|live)_[A-Za-z0-9]{8}|whsec_|Bearer|127\.0\.0\.1", text
        )
