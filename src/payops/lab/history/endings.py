"""How payments end, and in what mixture."""

from __future__ import annotations

import random
from enum import Enum

from payops.lab.history.plan import RECENT_S, HistoryPlan

# Payments between two declines in the last hour: at most one in a dozen.
APART = 12


class Ending(Enum):
    """How a payment ended. The value is its share in a thousand; the rest just succeeded.

    Nine in ten succeed at once and stay paid; one in twenty is declined by the issuer.
    """

    SUCCEEDED = 0
    DECLINED = 50
    THREE_D_SECURE = 18  # the customer was asked to authenticate, did, and paid
    REFUNDED = 11
    PARTIALLY_REFUNDED = 10
    CANCELED = 6  # by the customer, at the bank's page
    DISPUTED = 5
    ABANDONED = 4  # never came back from the bank's page; the shop canceled it
    AUTHENTICATION_FAILED = 3

    @property
    def paid(self) -> bool:
        """Whether the money was taken, whatever became of it."""
        return self not in (
            Ending.DECLINED,
            Ending.CANCELED,
            Ending.ABANDONED,
            Ending.AUTHENTICATION_FAILED,
        )

    @property
    def authenticated(self) -> bool:
        """Whether the customer was sent to the bank's page (requires_action)."""
        return self in _SLOWEST_S

    @property
    def at_once(self) -> bool:
        """Whether Stripe's answer to the request to pay was already the end."""
        return not self.authenticated

    @property
    def refunded(self) -> bool:
        """Whether money was given back."""
        return self in (Ending.REFUNDED, Ending.PARTIALLY_REFUNDED)

    @property
    def event(self) -> str:
        """The event that told of it."""
        if self.paid:
            return "payment_intent.succeeded"
        if self in (Ending.CANCELED, Ending.ABANDONED):
            return "payment_intent.canceled"
        return "payment_intent.payment_failed"

    def patience(self, rng: random.Random) -> int:
        """Seconds from the PaymentIntent to the end, of one that needed authentication."""
        slowest = _SLOWEST_S[self]
        return rng.randint(slowest // 4, slowest)


_SLOWEST_S = {
    Ending.THREE_D_SECURE: 80,
    Ending.AUTHENTICATION_FAILED: 120,
    Ending.CANCELED: 240,
    Ending.ABANDONED: 1_500,
}


class Endings:
    """Deals the endings out evenly, so that any stretch of the history has the usual mixture.

    In the last 70 minutes payments succeed at once or are declined, nothing else: the numbers
    that a health check looks at first (success rate, 95th percentile of the time to complete) are
    those of a healthy shop, be they drawn from a dozen payments.
    """

    def __init__(self, plan: HistoryPlan, rng: random.Random) -> None:
        self._recent = plan.last - RECENT_S
        self._style = plan.style
        self._rng = rng
        self._since_decline = APART
        # Due from the start for every other: 100 payments have one of nearly everything.
        self._due = {e: 0.5 + rng.random() / 2 for e in Ending if e is not Ending.SUCCEEDED}

    def next(self, created: int) -> Ending:
        """The ending of the next payment, begun at the epoch second `created`."""
        chosen = Ending.SUCCEEDED
        self._since_decline += 1
        for ending in self._due:
            self._due[ending] += ending.value / 1_000
            due = self._due[ending] >= 1 and self._rng.random() < 0.3
            if due and chosen is Ending.SUCCEEDED and self._fits(ending, created):
                self._due[ending] -= 1
                chosen = ending
        if chosen is Ending.DECLINED:
            self._since_decline = 0
        return chosen

    def _fits(self, ending: Ending, created: int) -> bool:
        """Whether the shop knows it, there is time, and the last hour stays a healthy shop's."""
        if ending.name in self._style.without:
            return False
        if created < self._recent:
            return True
        if not self._style.declines_of_late:
            return False
        return ending is Ending.DECLINED and self._since_decline > APART
