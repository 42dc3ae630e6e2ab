"""Builders of paths and their events: healthy ones by default, each test says what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from payops.domain.money import Money
from payops.domain.webhook import Cause, Moved, PathEvent
from payops.domain.window import Window
from payops.webhooks.classify import Ground, Place, classify
from payops.webhooks.faults import Asked, Fault
from payops.webhooks.path import Endpoint, Part, Path

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
URL = "https://shop.example.com/webhooks/stripe"
ALL = frozenset(Part)
NEEDS = frozenset({"payment_intent.succeeded", "charge.refunded"})


def ago(seconds: float) -> datetime:
    """So many seconds before NOW."""
    return NOW - timedelta(seconds=seconds)


def event(id_: str = "evt_1", *, age: float = 3600, **given: Any) -> PathEvent:
    """A success that was delivered, handled and recorded two seconds after it was made."""
    made = ago(age)
    values: dict[str, Any] = {
        "type": "payment_intent.succeeded",
        "created": made,
        "livemode": False,
        "pending_webhooks": 0,
        "object_id": f"pi_{id_}",
        "payment_intent": f"pi_{id_}",
        "amount": Money("usd", 1000),
        "logged": "handled",
        "times": 1,
        "attempts": 1,
        "received_at": made + timedelta(seconds=1),
        "processed_at": made + timedelta(seconds=2),
        "moved": Moved.YES,
        "local_id": "1",
        "local_state": "succeeded",
    }
    return PathEvent(id_, **{**values, **given})


def lost(id_: str = "evt_1", *, age: float = 3600, **given: Any) -> PathEvent:
    """A success that nobody here has heard of."""
    nothing: dict[str, Any] = {
        "logged": "",
        "times": 0,
        "attempts": None,
        "received_at": None,
        "processed_at": None,
        "moved": Moved.NO,
        "local_state": "pending",
    }
    return event(id_, age=age, **{**nothing, **given})


def endpoint(url: str = URL, **given: Any) -> Endpoint:
    """An enabled endpoint for every type."""
    values: dict[str, Any] = {
        "id": "we_1",
        "enabled": True,
        "types": ("*",),
        "livemode": False,
        "created": ago(86_400 * 30),
    }
    return Endpoint(url=url, **{**values, **given})


def path(*events: PathEvent, **given: Any) -> Path:
    """A path of which every part was asked and answered."""
    values: dict[str, Any] = {
        "window": Window(ago(86_400), NOW),
        "as_of": NOW,
        "events": tuple(sorted(events, key=lambda each: (each.created, each.id))),
        "endpoints": (endpoint(),),
        "asked": ALL,
    }
    return Path(**{**values, **given})


def asked(
    cause: Cause | None = None,
    detail: str = "",
    *,
    url: str = URL,
    certain: bool = True,
    signed: bool = False,
) -> dict[str, Asked]:
    """What the endpoint answered: as it should, or with a fault."""
    fault = Fault(cause, detail, f"is {detail}", certain) if cause else None
    return {url: Asked(url, NOW, fault, f"{url}: seen", signed)}


def placed(ground: Ground) -> list[tuple[str, str]]:
    """Each event's id with its cause, or its place where nothing is wrong with it."""
    return [
        (each.event.id, each.cause.value if each.cause else each.place.value)
        for each in classify(ground)
    ]


def cause_of(*events: PathEvent, **given: Any) -> Cause | Place | None:
    """The cause of the last event (by its making), or its place where it is not lost.

    `asked` are the endpoints' answers, the rest is the path's.
    """
    answers = given.pop("asked_them", {})
    found = classify(Ground(path(*events, **given), answers, NEEDS))[-1]
    return found.cause or found.place
