"""Customers for a drill: a bounded number of payments through the shop's `/pay`."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST = 500
MOST_AT_ONCE = 8
# About as often as in the history: one in twenty is declined.
_CARDS = ("pm_card_visa",) * 15 + ("pm_card_mastercard",) * 4 + ("pm_card_chargeDeclined",)


@dataclass(frozen=True)
class Traffic:
    """How the shop answered. `answers` counts by HTTP status, 0 where there was no answer.

    `orders` are the order ids in the order in which they were placed.
    """

    answers: dict[int, int]
    orders: tuple[str, ...]


def send_payments(
    app_url: str,
    count: int,
    *,
    seed: int | None = None,
    at_once: int = 4,
    pause_s: float = 0.0,
    timeout_s: float = 15.0,
    payment_method: str | None = None,
) -> Traffic:
    """Place `count` orders at the shop at `app_url` and wait for all answers.

    At most 500, at most 8 `at_once`, each customer waiting `pause_s` seconds before the next order.
    One in twenty cards is declined, unless `payment_method` (`pm_card_…`) names the card of all.
    Amounts and cards are those of `seed`; order ids are always new. A shop that does not answer is
    counted, not raised. Raises ValueError for a count out of bounds.
    """
    if not 0 <= count <= MOST:
        raise ValueError(f"a drill has 0 to {MOST} payments, not {count}")
    rng = random.Random(seed)
    run = f"{time.time_ns() // 1_000_000:x}"
    orders = [
        {
            "amount": rng.randint(500, 15_000),
            "currency": "usd",
            "payment_method": payment_method or rng.choice(_CARDS),
            "order_id": f"drill-{run}-{number}",
            "email": f"drill{number}@example.com",
        }
        for number in range(1, count + 1)
    ]

    def place(order: dict[str, object]) -> int:
        status = _post(app_url, order, timeout_s)
        time.sleep(pause_s)
        return status

    with ThreadPoolExecutor(max(1, min(at_once, MOST_AT_ONCE))) as customers:
        answers = Counter(customers.map(place, orders))
    return Traffic(dict(answers), tuple(str(order["order_id"]) for order in orders))


def _post(app_url: str, order: dict[str, object], timeout_s: float) -> int:
    parts = urlsplit(app_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("POST", "/pay", json.dumps(order), {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
