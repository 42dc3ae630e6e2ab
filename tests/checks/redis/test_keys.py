"""How many idempotency and dedupe keys are there, and do all end some day?"""

from __future__ import annotations

import pytest
import redis

from checks.redis.conftest import PAYMENT_KEYS, Ask
from payops.checks.redis.keys import CHECK, Counted, Facts
from payops.errors import NotConfiguredError
from tools import NOW, assert_crit, assert_is, assert_ok, assert_warn, gathered, judged


@pytest.mark.parametrize(
    ("endless", "status"),
    [(0, "OK"), (1, "WARN"), (500, "WARN")],
)
def test_limits(endless: int, status: str) -> None:
    found = Facts(NOW, (Counted("idempotency keys", 5000, True, 2000, endless),))
    result = judged(CHECK, found)
    assert_is(status, result, "5,000 idempotency keys")
    assert ("of 2,000 looked at without a TTL" in result.summary) == (status != "OK")
    assert bool(result.actions) == (status != "OK")


def test_more_than_are_counted() -> None:
    found = Facts(NOW, (Counted("idempotency keys", 50_000, False, 2000, 0),))
    assert_ok(judged(CHECK, found), "50,000 or more idempotency keys")
    assert_crit(judged(CHECK, Facts(NOW, (Counted("k", 9, True, 9, 9),)), endless={"crit": 8}))


def test_real_keys(ctx: Ask, client: redis.Redis) -> None:
    for number in range(20):
        client.set(f"idem:{number}", "1", ex=60)
        client.set(f"seen[1]:evt_{number}", "1", ex=60)
        client.set(f"seen1:evt_{number}", "1")  # what the pattern must not match
    client.set("idem:forever", "1")
    assert_warn(
        judged(CHECK, gathered(CHECK, ctx(**PAYMENT_KEYS))),
        "21 idempotency keys, 1 without a TTL; 20 keys of webhook events",
    )
    client.delete("idem:forever")
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**PAYMENT_KEYS))))


def test_none_is_configured(ctx: Ask) -> None:
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, ctx())
    assert CHECK.deep
