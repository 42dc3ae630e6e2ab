"""The path at a glance: how many events got how far, how late, how many in a row did not."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from payops.domain.webhook import Moved, PathEvent
from payops.webhooks.classify import IN_FLIGHT, lag_of
from payops.webhooks.path import Part, Path


@dataclass(frozen=True)
class Stage:
    """`count` of `of` events got to here; `seen_in` is where that was seen.

    `of` are those of which it can be told at all.
    """

    name: str
    count: int
    of: int
    seen_in: str


@dataclass(frozen=True)
class Lag:
    """From an event's making to something that happened to it; of `count` events."""

    name: str
    count: int
    average: timedelta
    p95: timedelta
    longest: timedelta
    newest: datetime
    """When it happened last, aware UTC."""


@dataclass(frozen=True)
class Delivery:
    """Deliveries that came to an end: `settled` events, `pending` of them not accepted yet.

    `in_flight` are too young to be judged. `row` is the longest run of events that were not
    delivered, in order of their making, `hour` the most of them in any one hour. `sent_again` are
    owed by Stripe alone: payops has sent them, and they count as delivered.
    """

    settled: int
    pending: int
    in_flight: int
    row: int
    hour: int
    sent_again: int = 0

    @property
    def success(self) -> float | None:
        """Per cent delivered; None where nothing was to be delivered."""
        return None if not self.settled else 100 * (self.settled - self.pending) / self.settled


def counted(path: Path) -> list[PathEvent]:
    """The events that rates are of: of the types that were asked for, so that undelivered ones of
    other types do not stand against nothing."""
    if not path.types:
        return list(path.events)
    types = frozenset(path.types)
    return [event for event in path.events if event.type in types]


def delivery(path: Path) -> Delivery:
    """How deliveries went."""
    events = counted(path)
    settled = [event for event in events if path.as_of - event.created >= IN_FLIGHT]
    owed = [event for event in settled if event.pending_webhooks > 0]
    failed = [event for event in owed if event.id not in path.sent_again]
    return Delivery(
        settled=len(settled),
        pending=len(failed),
        in_flight=len(events) - len(settled),
        row=_longest_row(settled, {event.id for event in failed}),
        hour=_most_in(timedelta(hours=1), [event.created for event in failed]),
        sent_again=len(owed) - len(failed),
    )


def _longest_row(events: Sequence[PathEvent], failed: Collection[str]) -> int:
    longest = row = 0
    for event in events:
        row = row + 1 if event.id in failed else 0
        longest = max(longest, row)
    return longest


def _most_in(span: timedelta, times: Sequence[datetime]) -> int:
    """The most of these times, in order, that lie within any span.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 2, 11, hour, tzinfo=UTC) for hour in (1, 2, 4)]
    >>> _most_in(timedelta(hours=1), at), _most_in(timedelta(hours=3), at)
    (2, 3)
    """
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] > span:
            first += 1
        most = max(most, last - first + 1)
    return most


def stages(path: Path) -> list[Stage]:
    """The funnel, from Stripe to the ledger; a stage that nobody can see is left out."""
    events = counted(path)
    found = [
        Stage("created", len(events), len(events), "Stripe"),
        Stage(
            "delivered",
            sum(event.pending_webhooks == 0 for event in events),
            len(events),
            "Stripe: nobody is owed it; or never sent",
        ),
    ]
    if path.knows(Part.LOG):
        arrived = [event for event in events if event.logged]
        found.append(Stage("received", len(arrived), len(events), "event log"))
        handled = sum(event.logged == "handled" for event in arrived)
        found.append(Stage("processed", handled, len(events), "event log"))
    if path.knows(Part.KEYS):
        looked = [event for event in events if event.seen is not None]
        seen = sum(bool(event.seen) for event in looked)
        found.append(Stage("had", seen, len(looked), "Redis: dedupe keys, while they live"))
    if path.knows(Part.LEDGER):
        told = [event for event in events if event.moved not in {Moved.NOT_TOLD, Moved.NO_ROW}]
        moved = sum(event.moved is Moved.YES for event in told)
        found.append(Stage("in the ledger", moved, len(told), "ledger: of types that it can show"))
    return found


def lags(path: Path) -> list[Lag]:
    """How late events were received and processed, clocks set right; those that payops sent again
    are late for that reason alone."""
    events = [event for event in counted(path) if event.id not in path.sent_again]
    received = [(event, event.received_at) for event in events]
    processed = [(event, event.processed_at) for event in events]
    return [
        lag
        for name, times in (("received", received), ("processed", processed))
        if (lag := _lag(path, name, times)) is not None
    ]


def _lag(path: Path, name: str, times: Sequence[tuple[PathEvent, datetime | None]]) -> Lag | None:
    found = sorted(lag for event, at in times if (lag := lag_of(path, event, at)) is not None)
    newest = max((at for _, at in times if at is not None), default=None)
    if newest is None:
        return None
    total = sum(found, timedelta())
    return Lag(
        name,
        len(found),
        total / len(found),
        found[max(0, math.ceil(0.95 * len(found)) - 1)],
        found[-1],
        newest,
    )
