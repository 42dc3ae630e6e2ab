"""What was gathered of the way of events: the events, the endpoints, and what did not answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from payops.domain.webhook import PathEvent
from payops.domain.window import Window
from payops.errors import PayopsError


class Part(Enum):
    """What is asked on the way; the value names it to a person."""

    EVENTS = "Stripe's events"
    ENDPOINTS = "Stripe's webhook endpoints"
    OBJECTS = "Stripe's objects"
    LOG = "the event log"
    KEYS = "Redis keys of events that were had"
    LEDGER = "the ledger"


@dataclass(frozen=True)
class Endpoint:
    """One of Stripe's webhook endpoints. `types` may hold `*`; `created` is aware UTC."""

    id: str
    url: str
    enabled: bool
    types: tuple[str, ...]
    livemode: bool
    created: datetime
    api_version: str = ""
    description: str = ""

    def wants(self, type_: str) -> bool:
        """Whether it is registered for events of this type, enabled or not."""
        return "*" in self.types or type_ in self.types


@dataclass(frozen=True)
class Unchanged:
    """An object of Stripe's that changed without an event: `type` is that of the event that there
    should be."""

    event: PathEvent
    """As the event would be: its type, payment, amount; `id` and `created` are the object's."""


@dataclass(frozen=True)
class Path:
    """Everything that is known of the events of a window.

    `events` are those created in the window, the oldest first. `as_of` is Stripe's clock when they
    were read (ours where it sent none); `events_complete` is False when not all could be read in
    time, `whole` where only some were asked for, so that nothing can be concluded of what lies
    between them. `endpoints` is None when they could not be asked. `types` are the types that were
    asked for, empty for all. `strangers` are unfinished rows of the event log that Stripe's list
    does not have: older ones, or of another account. `never_generated` is None when the objects
    were not looked at. `failures` says by part what gave no answer; a part that is not configured
    is in neither `failures` nor `asked`. `log_offset_s` is the database's clock less Stripe's, in
    seconds. `sent_again` are the ids of events that payops sent, by its journal, or left out since
    the ledger shows them: they are late for that reason, and Stripe still owes them until it asks
    again by itself.
    """

    window: Window
    as_of: datetime
    events: tuple[PathEvent, ...] = ()
    events_complete: bool = True
    whole: bool = True
    types: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] | None = None
    strangers: tuple[PathEvent, ...] = ()
    never_generated: tuple[Unchanged, ...] | None = None
    failures: Mapping[Part, PayopsError] = field(default_factory=dict)
    asked: frozenset[Part] = frozenset()
    log_offset_s: float = 0.0
    calls: int = 0
    object_calls: int = 0
    sent_again: frozenset[str] = frozenset()

    def knows(self, part: Part) -> bool:
        """Whether the part was asked and answered."""
        return part in self.asked and part not in self.failures
