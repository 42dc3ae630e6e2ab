"""One suite over the fakes and the real servers: a check that passes on one runs on the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis as redis_py
from msgspec import Struct

from payops.domain.money import Money, MoneyAtRisk
from payops.domain.payment import OPEN, PaymentStatus
from payops.domain.window import Window
from payops.errors import Failure, SourceError
from payops.sources.postgres import PostgresSource
from payops.sources.redis import RedisSource
from payops.sources.stripe import StripeSource
from sources.conftest import postgres_of, redis_of, stripe_of
from sources.fakes import FakePostgres, FakeRedis, FakeStripe, Row
from sources.test_ledger import ledger, make

T0 = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
KEYS = {"cb:a:state": b"open", "cb:b:state": b"closed", "other": b"\x80"}
EPOCH = int(time.time()) - 3600


class Intent(Struct, frozen=True):
    id: str
    created: int


INTENTS = [
    {
        "object": "payment_intent",
        "id": f"pi_contract{i:04}",
        "created": EPOCH + i,
        "livemode": False,
    }
    for i in range(130)
]
ROWS = [
    Row("a", "new", 500, T0 - timedelta(hours=3), "usd", "pi_a"),
    Row("b", "PENDING", 700, T0 - timedelta(hours=2), "jpy", None),
    Row("c", "new", None, T0 - timedelta(hours=1), "usd", "pi_c"),
    Row("d", "failed", 900, T0 - timedelta(hours=1), "usd", "pi_d", "card_declined"),
    Row("e", "failed", 100, T0 - timedelta(minutes=1), "usd", "pi_e", "card_declined"),
    Row("f", "mystery", 5, T0 - timedelta(hours=1), "usd", "pi_f"),
]


@pytest.fixture(params=["fake", "real"])
def redis(request: pytest.FixtureRequest) -> Iterator[RedisSource]:
    if request.param == "fake":
        yield FakeRedis(KEYS, {"cb:a:state": 30}, now=datetime.now(UTC))
        return
    server = request.getfixturevalue("redis_server")
    with redis_py.Redis.from_url(server.url) as client:
        client.flushall()
        client.mset(KEYS)  # type: ignore[arg-type]
        client.expire("cb:a:state", 30)
    source = redis_of(server.url)
    yield source
    source.close()


@pytest.fixture(params=["fake", "real"])
def stripe(request: pytest.FixtureRequest) -> Iterator[StripeSource]:
    if request.param == "fake":
        yield FakeStripe(INTENTS)
        return
    control: Callable[..., Any] = request.getfixturevalue("control")
    control("PUT", "/objects", INTENTS)
    source = stripe_of(request.getfixturevalue("simulator").url)
    yield source
    source.close()


@pytest.fixture(params=["fake", "real"])
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresSource]:
    if request.param == "fake":
        yield FakePostgres(ROWS)
        return
    make(
        request.getfixturevalue("sql"),
        "id text, status text, amount bigint, created_at timestamptz, currency text,"
        " processor_ref text, failure_code text",
        [tuple(vars(row).values()) for row in ROWS],
    )
    source = postgres_of(request.getfixturevalue("postgres_server").dsn)
    yield source
    source.close()


def test_redis(redis: RedisSource) -> None:
    assert redis.facts().role == "master"
    assert redis.strings(["other", "none"]) == {"other": b"\x80", "none": None}
    assert redis.types(["other", "none"]) == {"other": "string", "none": "none"}
    ttls = redis.ttls(["cb:a:state", "cb:b:state", "none"])
    assert 25 <= (ttls["cb:a:state"] or 0) <= 30
    assert (ttls["cb:b:state"], ttls["none"]) == (None, None)
    assert redis.scan("cb:*:state", 10) == (["cb:a:state", "cb:b:state"], True)
    assert redis.scan("cb:?:state", 2)[1]
    found, complete = redis.scan("cb:*", 1)
    assert (len(found), complete) == (1, False)
    assert redis.now().tzinfo is not None


def test_stripe(stripe: StripeSource) -> None:
    assert stripe.account().value.charges_enabled
    created = {"gte": EPOCH, "lt": EPOCH + 130}
    whole = stripe.list("/v1/payment_intents", Intent, created=created)
    assert [each.created for each in whole.items] == [EPOCH + i for i in reversed(range(130))]
    assert whole.complete
    assert len(whole.request_ids) == 2
    part = stripe.list("/v1/payment_intents", Intent, at_most=5, created=created)
    assert (part.items, part.complete) == (whole.items[:5], False)
    assert stripe.get("/v1/payment_intents/pi_contract0007", Intent).value.created == EPOCH + 7
    with pytest.raises(SourceError) as caught:
        stripe.get("/v1/payment_intents/pi_none", Intent)
    assert (caught.value.kind, caught.value.http_status) == (Failure.NOT_FOUND, 404)
    assert stripe.calls == 1 + 2 + 1 + 1 + 1
    assert len(stripe.request_ids) >= 5


def test_postgres(postgres: PostgresSource) -> None:
    facts = postgres.server()
    assert not facts.in_recovery
    assert facts.replay_lag_s is None
    assert facts.available == facts.max_connections - facts.reserved
    columns = {name: name for name in ("processor_ref", "currency", "failure_code")}
    reader = postgres.ledger(ledger(columns=columns))
    found = reader.open_payments(older_than=T0, newer_than=None, statuses=OPEN, sample=2)
    assert found.count == 3
    assert found.oldest == T0 - timedelta(hours=3)
    assert found.money == (MoneyAtRisk("usd", 500, 2), MoneyAtRisk("jpy", 700, 1))
    assert (found.inexact, found.without_reference) == (1, 1)
    assert [(row.id, row.amount) for row in found.sample] == [
        ("a", Money("usd", 500)),
        ("b", Money("jpy", 700)),
    ]
    outcomes = reader.outcomes(Window(T0 - timedelta(hours=1), T0))
    assert outcomes.rows[0].status is PaymentStatus.FAILED
    assert (outcomes.rows[0].count, outcomes.rows[0].minor) == (2, 1000)
    assert outcomes.rows[0].last == T0 - timedelta(minutes=1)
    assert [row.raw for row in outcomes.unknown] == ["mystery"]


@pytest.mark.parametrize("fake", [FakeRedis, FakeStripe, FakePostgres])
def test_a_fake_can_be_out(fake: Any) -> None:
    error = SourceError("x", Failure.REFUSED, "down")
    source = fake(error=error)
    question = {FakeRedis: "facts", FakeStripe: "account", FakePostgres: "server"}[fake]
    with pytest.raises(SourceError) as caught:
        getattr(source, question)()
    assert caught.value is error
