"""Objects of Stripe's that changed without an event, or whose event nobody can find.

Stripe says that an event may never be generated at all, so the objects themselves are listed: the
payments, refunds, disputes and sessions of the window, each held against the events that its state
must have made. It costs a request for each 100 of them. Listed before the events: what changes
meanwhile then has its event, not the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from payops.domain.money import Money
from payops.domain.webhook import PathEvent
from payops.sources.stripe_lists import Range
from payops.sources.stripe_rows import ListKind
from payops.webhooks.path import Unchanged

if TYPE_CHECKING:
    from payops.sources.stripe_events import Names

# An object this young may still be waiting for its event: events are made a moment later.
_YOUNG = timedelta(seconds=60)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class _Object(Struct, gc=False):
    id: str
    created: int
    status: Any = None
    payment_status: Any = None
    amount: Any = None
    amount_total: Any = None
    currency: Any = None
    payment_intent: Any = None
    metadata: Any = None
    livemode: Any = None


class _Page(Struct, gc=False):
    data: list[_Object]
    has_more: bool = False


@dataclass(frozen=True)
class _Kind:
    """A list, and the types of which one must exist for an object in some state (empty: in any)."""

    path: str
    needs: dict[str, tuple[str, ...]]


_KINDS = (
    _Kind(
        "/v1/payment_intents",
        {
            "succeeded": ("payment_intent.succeeded",),
            "canceled": ("payment_intent.canceled",),
        },
    ),
    _Kind("/v1/refunds", {"": ("refund.created", "charge.refunded", "charge.refund.updated")}),
    _Kind("/v1/disputes", {"": ("charge.dispute.created",)}),
    _Kind("/v1/checkout/sessions", {"complete": ("checkout.session.completed",)}),
)


@dataclass
class Due:
    """The events that there must be. `as_of` is Stripe's clock when the objects were read."""

    ranges: list[Range] = field(default_factory=list)
    as_of: datetime = _NEVER
    _events: list[tuple[frozenset[str], PathEvent]] = field(default_factory=list)

    def add(
        self, kind: _Kind, wanted: frozenset[str], objects: list[_Object], names: Names
    ) -> None:
        """Note what the objects of a page must have made."""
        for each in objects:
            state = each.status if isinstance(each.status, str) else ""
            types = kind.needs.get(state) or kind.needs.get("", ())
            needed = frozenset(types) & wanted if wanted else frozenset(types)
            if needed:
                first = next(type_ for type_ in types if type_ in needed)
                self._events.append((needed, _as_event(first, each, names)))

    def without_event(self, events: Iterable[PathEvent]) -> tuple[Unchanged, ...]:
        """Those of which none of the events was made, the oldest first."""
        made = {
            (event.type, name)
            for event in events
            for name in (event.object_id, event.payment_intent)
        }
        return tuple(
            Unchanged(event)
            for types, event in sorted(self._events, key=lambda due: due[1].created)
            if event.created <= self.as_of - _YOUNG
            and not any((type_, event.object_id) in made for type_ in types)
            # `charge.refunded` is about the charge: its payment is what the two have in common.
            and ("charge.refunded", event.payment_intent) not in made
        )


def unchanged_ranges(names: Names, types: tuple[str, ...], since: int, until: int) -> Due:
    """What to list for events of these types (empty: all), created from `since` to `until`."""
    due = Due()
    wanted = frozenset(types)
    for kind in _KINDS:
        needed = {type_ for each in kind.needs.values() for type_ in each}
        if wanted and not needed & wanted:
            continue
        if not wanted and kind.path == "/v1/checkout/sessions":
            continue  # few shops have them, and who does says so in webhooks.needs

        def keep(objects: list[Any], kind: _Kind = kind) -> None:
            due.add(kind, wanted, objects, names)

        due.ranges.append(Range(_list(kind.path), since, until, keep))
    return due


def _list(path: str) -> ListKind:
    return ListKind(
        path,
        path,
        (),
        msgspec.json.Decoder(_Page).decode,
        msgspec.json.Decoder(_Object).decode,
        lambda each: (each.id, each.created),
    )


def _as_event(type_: str, each: _Object, names: Names) -> PathEvent:
    metadata = each.metadata if isinstance(each.metadata, dict) else {}
    amount = each.amount if isinstance(each.amount, int) else each.amount_total
    money = None
    if isinstance(amount, int) and isinstance(each.currency, str) and abs(amount) < 10**18:
        money = Money(each.currency, amount)
    intent = each.payment_intent if isinstance(each.payment_intent, str) else ""
    return PathEvent(
        id=each.id,
        type=type_,
        created=datetime.fromtimestamp(each.created, UTC),
        livemode=bool(each.livemode),
        pending_webhooks=0,
        object_id=each.id,
        object_status=each.status if isinstance(each.status, str) else "",
        payment_intent=each.id if each.id.startswith("pi_") else intent,
        named_id=next((str(metadata[key]) for key in names.local if metadata.get(key)), ""),
        named_order=next((str(metadata[key]) for key in names.order if metadata.get(key)), ""),
        amount=money,
    )
