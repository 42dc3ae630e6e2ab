"""All that is known of the events of a window: from Stripe, the event log, Redis, the ledger.

Asked in the order of the way itself, so that an event which arrives meanwhile is never taken for a
lost one: the objects, then the events that they should have made, then the log, then the ledger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from payops.domain.webhook import PathEvent
from payops.domain.window import Window
from payops.errors import NotConfiguredError, PayopsError, SourceError
from payops.webhooks.ledger import Standing, standings
from payops.webhooks.logged import logged, unfinished, with_rows
from payops.webhooks.path import Endpoint, Part, Path, Unchanged
from payops.webhooks.seen import with_keys

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.sources import Sources
    from payops.sources.stripe_events import EventObject, Names
    from payops.sources.stripe_pages import StripePages
    from payops.webhooks.objects import Due

# Stripe's clock may be ahead of ours.
_AHEAD_S = 300
# Stripe keeps events for 30 days (documentation, 'List all events').
KEPT = timedelta(days=30)
# A list of events is filtered by 20 types at most (documentation, 'List all events').
MOST_TYPES = 20
# What is left of the deadline after Stripe's lists: the log and the ledger need some of it.
_FOR_STRIPE = 0.7
# Rows of the event log that are held at once.
_AT_ONCE = 5000
T = TypeVar("T")


def gather(
    settings: Settings,
    sources: Sources,
    window: Window,
    *,
    types: Sequence[str] | None = None,
    undelivered: bool = False,
    objects: bool = False,
    deadline: Deadline | None = None,
) -> Path:
    """The events created in `window`, each with what is known of it. Never raises for what a
    source does: `Path.failures` has it.

    `types` are those that are looked at beside what is undelivered, by default `webhooks.needs`;
    empty is all. With `undelivered` only events that an endpoint has not had are read. With
    `objects` the payments and refunds of the window are listed too, to find changes without an
    event. `deadline` is by default the sources' own.
    """
    wanted = tuple(settings.webhooks.needs if types is None else types)
    if len(wanted) > MOST_TYPES or any("*" in each for each in wanted):
        wanted = ()
    ends = deadline or sources.deadline
    found = _Found(settings, sources, window, wanted)
    found.stripe(ends, undelivered=undelivered, objects=objects)
    found.log()
    found.keys()
    found.ledger()
    return found.path()


def known(
    settings: Settings, sources: Sources, events: Sequence[PathEvent], as_of: datetime
) -> Path:
    """As `gather`, of events that were read elsewhere: by id, or from a file."""
    times = [event.created for event in events] or [as_of]
    found = _Found(settings, sources, Window(min(times), max(*times, as_of)), ())
    found.events, found.whole = sorted(events, key=_order), False
    found.as_of = as_of
    found.log(strangers=False)
    found.keys()
    found.ledger()
    return found.path()


def names_of(settings: Settings) -> Names:
    """Keys of Stripe's metadata that the mapping knows."""
    from payops.sources.stripe_events import Names

    references = [each.references for each in settings.ledgers.values() if each.kind == "payments"]
    local = [key for each in references for key in (each.local_id, each.session_local_id) if key]
    order = [each.order_id for each in references if each.order_id]
    return Names(tuple(dict.fromkeys(local)), tuple(dict.fromkeys(order)))


@dataclass
class _Found:
    """What has been gathered so far."""

    settings: Settings
    sources: Sources
    window: Window
    types: tuple[str, ...]
    events: list[PathEvent] = field(default_factory=list)
    as_of: datetime = field(default_factory=lambda: datetime.now(UTC))
    stripe_offset_s: float = 0.0
    log_offset_s: float = 0.0
    complete: bool = True
    whole: bool = True
    endpoints: tuple[Endpoint, ...] | None = None
    strangers: tuple[PathEvent, ...] = ()
    unchanged: tuple[Unchanged, ...] | None = None
    due: Due | None = None
    failures: dict[Part, PayopsError] = field(default_factory=dict)
    asked: set[Part] = field(default_factory=set)
    calls: int = 0
    object_calls: int = 0

    def stripe(self, deadline: Deadline, *, undelivered: bool, objects: bool) -> None:
        """Endpoints, objects and events."""
        if self.settings.stripe is None:
            self.failures[Part.EVENTS] = NotConfiguredError(
                "stripe is not configured",
                hint="add stripe.secret_key to the configuration: without it nobody can tell which "
                "events there were",
            )
            return
        self.whole = not undelivered
        before = self.sources.stripe_calls()
        self.endpoints = self._ask(Part.ENDPOINTS, self._endpoints)
        ends = deadline.sooner(1 - _FOR_STRIPE, at_most=math.inf)
        pages = self.sources.stripe_pages()
        try:
            if objects and not undelivered:
                self._objects(pages, ends)
            self._events(pages, ends, undelivered=undelivered)
        finally:
            pages.close()
            self.calls = pages.calls + self.sources.stripe_calls() - before

    def log(self, *, strangers: bool = True) -> None:
        """What the event logs say."""
        if not self.settings.event_logs:
            return

        def ask() -> None:
            now = None
            for at in range(0, len(self.events), _AT_ONCE):
                some = self.events[at : at + _AT_ONCE]
                rows, told = logged(self.settings, self.sources, (each.id for each in some))
                self.events[at : at + _AT_ONCE] = [with_rows(event, rows) for event in some]
                now = told or now
            if now is not None:
                ours = (now - datetime.now(UTC)).total_seconds()
                offset = ours - self.stripe_offset_s
                self.log_offset_s = offset if abs(offset) > 1 else 0.0
            if strangers:
                ids = {event.id for event in self.events}
                self.strangers = tuple(
                    event
                    for event in unfinished(self.settings, self.sources, self.window.since)
                    if event.id not in ids
                )

        self._ask(Part.LOG, ask)

    def keys(self) -> None:
        """Which of them have a key in Redis."""
        dedupe = self.settings.webhooks.dedupe
        if dedupe is None:
            return
        told = self._ask(
            Part.KEYS, lambda: with_keys(self.sources, dedupe, self.events, self.as_of)
        )
        self.events = self.events if told is None else told

    def ledger(self) -> None:
        """What the ledger shows of them."""
        if self.settings.payments is None:
            return
        unchanged = [each.event for each in self.unchanged or ()]
        wanted = [*self.events, *unchanged]
        told = self._ask(Part.LEDGER, lambda: standings(self.settings, self.sources, wanted))
        if told is None:
            return
        has_log = bool(self.settings.event_logs)
        self.events = [_with_standing(event, told[event.id], has_log) for event in self.events]
        if self.unchanged is not None:
            self.unchanged = tuple(
                Unchanged(_with_standing(event, told[event.id], has_log)) for event in unchanged
            )

    def path(self) -> Path:
        """All of it."""
        return Path(
            window=self.window,
            as_of=self.as_of,
            events=tuple(self.events),
            events_complete=self.complete,
            whole=self.whole,
            types=self.types,
            endpoints=self.endpoints,
            strangers=self.strangers,
            never_generated=self.unchanged,
            failures=self.failures,
            asked=frozenset(self.asked),
            log_offset_s=self.log_offset_s,
            calls=self.calls,
            object_calls=self.object_calls,
        )

    def _ask(self, part: Part, ask: Callable[[], T]) -> T | None:
        """The answer; None when there is none, and then the failure is kept."""
        self.asked.add(part)
        try:
            return ask()
        except (SourceError, NotConfiguredError) as error:
            self.failures[part] = error
            return None

    def _endpoints(self) -> tuple[Endpoint, ...]:
        from payops.sources.stripe_events import EndpointObject

        listing = self.sources.stripe.list("/v1/webhook_endpoints", EndpointObject)
        return tuple(
            Endpoint(
                id=each.id,
                url=each.url,
                enabled=each.status == "enabled",
                types=each.enabled_events,
                livemode=each.livemode,
                created=datetime.fromtimestamp(each.created, UTC),
                api_version=each.api_version or "",
                description=each.description or "",
            )
            for each in listing.items
        )

    def _objects(self, pages: StripePages, deadline: Deadline) -> None:
        from payops.sources.stripe_lists import read
        from payops.webhooks.objects import unchanged_ranges

        since, until = self._edges()
        self.asked.add(Part.OBJECTS)
        before = pages.calls
        self.due = unchanged_ranges(names_of(self.settings), self.types, since, until)
        told = read(pages, self.due.ranges, deadline.sooner(0.5, at_most=math.inf))
        self.object_calls = pages.calls - before
        self.due.as_of = told.as_of
        if told.failure is not None:
            self.failures[Part.OBJECTS] = told.failure

    def _events(self, pages: StripePages, deadline: Deadline, *, undelivered: bool) -> None:
        from payops.sources.stripe_events import EVENTS, path_event
        from payops.sources.stripe_lists import Range, read

        names = names_of(self.settings)
        by_id: dict[str, PathEvent] = {}

        def keep(events: list[EventObject]) -> None:
            by_id.update((event.id, path_event(event, names)) for event in events)

        since, until = self._edges()
        self.asked.add(Part.EVENTS)
        # What is undelivered is read whatever its type: the order of a shop may hang on it too.
        ranges = [Range(EVENTS, since, until, keep, filters={"delivery_success": "false"})]
        if not undelivered:
            every = Range(EVENTS, since, until, keep, types=self.types)
            ranges = [*ranges, every] if self.types else [every]
        told = read(pages, ranges, deadline)
        self.as_of, self.stripe_offset_s = told.as_of, told.offset_s
        self.events = sorted(by_id.values(), key=_order)
        if told.failure is not None:
            self.failures[Part.EVENTS] = told.failure
            self.complete = False
        if self.due is not None and self.complete and Part.OBJECTS not in self.failures:
            self.unchanged = self.due.without_event(self.events)

    def _edges(self) -> tuple[int, int]:
        """The window in whole seconds, as Stripe counts: an event in the window's first second is
        in it, and so is what Stripe's clock may be ahead."""
        since = math.floor(self.window.since.timestamp())
        now = datetime.now(UTC)
        if self.window.until >= now - timedelta(seconds=1):
            return since, math.ceil(now.timestamp()) + _AHEAD_S
        return since, math.ceil(self.window.until.timestamp())


def _with_standing(event: PathEvent, standing: Standing, has_log: bool) -> PathEvent:
    """The event with what the ledger shows, and how often: without a log the row's own time of
    completion says when it was handled."""
    handled = event.processed_at
    if not has_log and handled is None and event.type.endswith(".succeeded"):
        times = [row.completed_at for row in standing.rows if row.completed_at is not None]
        handled = min(times, default=None)
    refunds = len(standing.rows) if event.type == "refund.created" else 0
    return replace(
        event,
        moved=standing.moved,
        local_id=standing.local_id,
        local_state=standing.state,
        processed_at=handled,
        times=max(event.times, refunds),
    )


def _order(event: PathEvent) -> tuple[datetime, str]:
    return event.created, event.id
