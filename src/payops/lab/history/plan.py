"""What a history should be like, and the shape of the shop's day."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from payops.lab.history.style import Style

SHORTEST = timedelta(hours=1)
# Nothing happens in the last 90 s, so that every webhook of the past has arrived and been handled.
QUIET_END_S = 90
# A payment without 3-D Secure is over, events and all, in this many seconds.
LONGEST_PLAIN_PAYMENT_S = 5
# The end of the window that a health check looks at first (`--since 1h`), with some margin.
RECENT_S = 70 * 60
# Payments of the last hour that are certain, and the last minutes that they are spread over:
# enough for a rate, and still within the hour when the lab has been up for a quarter of one.
CERTAIN = 12
CERTAIN_WITHIN_S = 40 * 60


@dataclass(frozen=True)
class HistoryPlan:
    """How much happened, when, and in whose account.

    `payments` is their number (0 or more); they lie in the window of length `since` (an hour or
    more) that ends at `until` (aware; the moment at which the lab opens). The same plan always
    tells the same history; `seed` chooses another. `livemode` and `account` (`acct_…`) are the
    mode and the owner of the Stripe objects. `webhook_endpoint` is the URL of the shop's endpoint:
    a `we_…` object for it is among the Stripe objects, none when it is empty or itself a `we_…`
    id (then somebody else makes the object). `api_version` is that of the events, `style` how the
    shop uses Stripe. Raises ValueError when one of these does not make sense.
    """

    payments: int
    since: timedelta
    until: datetime
    seed: int = 0
    livemode: bool = True
    account: str = "acct_1PayopsLabShop00"
    webhook_endpoint: str = ""
    api_version: str = "2024-06-20"
    style: Style = field(default_factory=Style)

    def __post_init__(self) -> None:
        if self.until.tzinfo is None:
            raise ValueError("until is an aware time, in UTC")
        if self.since < SHORTEST:
            raise ValueError(f"a history is an hour or longer, not {self.since}")
        if self.payments < 0:
            raise ValueError(f"{self.payments} payments cannot be told")

    @property
    def first(self) -> int:
        """Epoch second at which the window begins (inclusive)."""
        return math.ceil((self.until - self.since).timestamp())

    @property
    def last(self) -> int:
        """Epoch second of the last thing that may happen: 90 s before `until`."""
        return math.floor(self.until.timestamp()) - QUIET_END_S


def moments(plan: HistoryPlan, rng: random.Random) -> list[int]:
    """When the payments were begun: epoch seconds, ascending, one for each payment.

    More by day than by night, and always some in the last hour: 12 when there are 100 or more
    payments, else a tenth of them.
    """
    latest = plan.last - LONGEST_PLAIN_PAYMENT_S
    certain = min(CERTAIN, math.ceil(plan.payments / 10))
    span = CERTAIN_WITHIN_S / max(certain, 1)
    times = [latest - int(span * (slot + rng.random())) for slot in range(certain)]
    while len(times) < plan.payments:
        moment = rng.randint(plan.first, latest)
        if rng.random() < _bustle(moment):
            times.append(moment)
    return sorted(times)


def _bustle(moment: int) -> float:
    """How busy the shop is, from 0.2 in the small hours to 1 in the afternoon (UTC)."""
    hour = moment % 86_400 / 3600
    return 0.6 + 0.4 * math.cos((hour - 16) * math.pi / 12)
