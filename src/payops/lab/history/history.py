"""A whole history, from every side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from payops.lab.history import ledger_side, stripe_side
from payops.lab.history.ledger_side import PaymentRow, RefundRow, WebhookEventRow
from payops.lab.history.plan import HistoryPlan
from payops.lab.history.story import Happening, PaymentStory, Payout, Stories
from payops.lab.stripe.objects import StripeObject


@dataclass(frozen=True)
class History:
    """What Stripe, the ledger, the event log and Redis know at the moment `plan.until`.

    On this history nothing is wrong: no payment is open, every event was delivered and handled,
    and every side agrees to the second and the minor unit.
    """

    plan: HistoryPlan
    stories: Stories

    @classmethod
    def of(cls, plan: HistoryPlan, stories: Stories) -> History:
        """The history that these stories make."""
        return cls(plan, stories)

    @cached_property
    def payments(self) -> tuple[PaymentRow, ...]:
        """Rows of `payments`, oldest first."""
        return tuple(ledger_side.payment_row(story) for story in self.stories.payments)

    @cached_property
    def refunds(self) -> tuple[RefundRow, ...]:
        """Rows of `refunds`, by payment."""
        return tuple(
            row for story in self.stories.payments for row in ledger_side.refund_rows(story)
        )

    @cached_property
    def webhook_events(self) -> tuple[WebhookEventRow, ...]:
        """Rows of `webhook_events` in the order of arrival."""
        return tuple(ledger_side.event_row(told) for told, _ in self._arrivals)

    @cached_property
    def redis_strings(self) -> dict[str, tuple[str, int | None]]:
        """Key -> value and seconds left to live at `until` (None: for ever)."""
        arrivals = (told for told, _ in self._arrivals)
        return ledger_side.redis_strings(self.plan, self.stories.payments, arrivals)

    def events(self) -> Iterator[StripeObject]:
        """Every event as it was delivered, in the order of `webhook_events`; built as you go."""
        for told, about in self._arrivals:
            yield stripe_side.event(self.plan, told, about)

    def stripe_objects(self) -> Iterator[StripeObject]:
        """Every object of the account once, then the events of the last 30 days; built as you go.

        The order is fixed. Events come in the order of their creation.
        """
        yield from stripe_side.all_objects(self.plan, self.stories)
        kept_since = self.plan.until.timestamp() - stripe_side.EVENTS_KEPT_S
        for told, about in sorted(self._arrivals, key=lambda arrival: arrival[0].created):
            if told.created >= kept_since:
                yield stripe_side.event(self.plan, told, about)

    @cached_property
    def _arrivals(self) -> tuple[tuple[Happening, PaymentStory | Payout], ...]:
        """Each event with what it is about, in the order of arrival."""
        told: list[tuple[Happening, PaymentStory | Payout]] = []
        for story in self.stories.payments:
            told.extend((event, story) for event in story.events)
        for payout in self.stories.payouts:
            told.extend((event, payout) for event in payout.events)
        return tuple(sorted(told, key=lambda arrival: (arrival[0].received_at, arrival[0].id)))
