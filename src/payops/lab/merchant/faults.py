"""What the lab can break in the shop, set through its control port.

Faults of the webhook stand in a list, so that two scenarios can be in force at once. A delivery
meets them place by place, as it would in life: what stands before the shop, the signature, the
handler. At each place the first that is meant for it strikes; one that a proxy stops never meets
the handler's.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

DOOR = frozenset(
    {"timeout", "closed", "drip", "redirect", "403", "404", "crash", "altered", "slow"}
)
"""The connection, or what stands before the shop."""
SIGNATURE = frozenset({"wrong_secret", "swapped", "any_age"})
HANDLER = frozenset(
    {
        *("500", "swallow", "swallow_logged", "stuck", "failed", "late"),
        *("no_dedupe", "any_order"),
    }
)
WEBHOOK = DOOR | SIGNATURE | HANDLER
"""What a fault does to a delivery.

timeout: no answer; closed: the connection is dropped without one; drip: an answer, a byte a second;
redirect: 308 to `location`; 403: a login page (HTML); 404; crash: 500 before anything is written;
altered: a proxy writes the JSON anew, so that the signature does not fit; wrong_secret: every
signature is refused; swapped: the secrets of the shop's paths are exchanged; any_age: a signature
is good however old it is; 500: the handler fails, and says so; swallow: 200 and nothing done;
swallow_logged: likewise, and the log says `processed`; stuck: 200, and the row stays `received`;
failed: 200, and the row is `failed` afterwards; late: 200, and processed `seconds` later; slow:
answered `seconds` later; no_dedupe: what was processed is processed again; any_order: the newest
delivery wins, be it the older event.
"""
HEALTH = frozenset({"500", "timeout"})
# A request that is left hanging ends when the fault is lifted, or after this many seconds.
LONGEST_HANG_S = 120.0
_FARTHEST_S = 366 * 86_400


@dataclass(frozen=True)
class WebhookFault:
    """One fault of the webhook: `fault` is one of WEBHOOK.

    It strikes deliveries of `types` (none: of all, and what is no event), the `next` ones that fit
    (None: until it is lifted). `location` is where a redirect leads (empty: the path with a slash
    at its end, or without), `seconds` how slow or late. `by` is who set it.
    """

    fault: str
    types: tuple[str, ...] = ()
    next: int | None = None
    location: str = ""
    seconds: float = 3.0
    by: str = ""

    @classmethod
    def parse(cls, given: object) -> WebhookFault:
        """From its name, or from a JSON object. Raises ValueError saying what is wrong."""
        told: Mapping[str, Any] = given if isinstance(given, dict) else {"fault": given}
        unknown = set(told) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown fields of a fault: {', '.join(sorted(unknown))}")
        made = cls(**{**told, "types": tuple(told.get("types", ()))})
        if made.fault not in WEBHOOK:
            raise ValueError(f"webhook knows {', '.join(sorted(WEBHOOK))}, not {made.fault!r}")
        if not all(isinstance(one, str) for one in (*made.types, made.location, made.by)):
            raise ValueError("types, location and by are texts")
        if made.next is not None and (type(made.next) is not int or made.next < 1):
            raise ValueError("next is a number of deliveries, 1 or more")
        if type(made.seconds) not in (int, float) or not 0 <= made.seconds <= LONGEST_HANG_S:
            raise ValueError(f"seconds is 0 to {LONGEST_HANG_S:g}")
        return made

    def dump(self) -> object:
        """As `parse` takes it: the name alone where that says all."""
        if self == WebhookFault(self.fault):
            return self.fault
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Faults:
    """The faults in force; every method may be called from any thread.

    `webhook` is None, one fault or a list of them; `health` None, 500 or timeout; `clock_offset_s`
    sets the shop's clock apart from this machine's.
    """

    def __init__(self) -> None:
        self._webhook: list[WebhookFault] = []
        self._left: list[int | None] = []
        self._health: str | None = None
        self.clock_offset_s = 0.0
        self._changed = threading.Condition()

    def now(self) -> float:
        """The shop's time, in epoch seconds."""
        return time.time() + self.clock_offset_s

    @property
    def health(self) -> str | None:
        """The fault of the health page."""
        return self._health

    def strike(self, place: frozenset[str], body: bytes) -> WebhookFault | None:
        """The fault that strikes this delivery at `place` (DOOR, SIGNATURE or HANDLER), and one
        less of those it is meant for."""
        with self._changed:
            if not self._webhook:
                return None
            kind = _type(body)
            for index, fault in enumerate(self._webhook):
                left = self._left[index]
                meant = not fault.types or kind in fault.types
                if fault.fault not in place or left == 0 or not meant:
                    continue
                self._left[index] = None if left is None else left - 1
                return fault
            return None

    def dump(self) -> dict[str, Any]:
        """All of them, as `change` takes them; those used up are gone."""
        with self._changed:
            kept = [
                WebhookFault(**{**_fields(fault), "next": left}).dump()
                for fault, left in zip(self._webhook, self._left, strict=True)
                if left != 0
            ]
            simple = kept[0] if len(kept) == 1 else kept or None
            return {
                "webhook": simple,
                "health": self._health,
                "clock_offset_s": self.clock_offset_s,
            }

    def change(self, wanted: Mapping[str, object]) -> None:
        """Set the faults that are named, leave the others. Raises ValueError for an unknown one."""
        known = ("webhook", "health", "clock_offset_s")
        for place in wanted:
            if place not in known:
                raise ValueError(f"no faults at {place!r}, only at {', '.join(known)}")
        health = wanted.get("health")
        if health is not None and health not in HEALTH:
            raise ValueError(f"health knows {', '.join(sorted(HEALTH))}, not {health!r}")
        offset = wanted.get("clock_offset_s", 0.0)
        if type(offset) not in (int, float) or abs(float(str(offset))) > _FARTHEST_S:
            raise ValueError("clock_offset_s is a number of seconds, a year at most")
        webhook = [WebhookFault.parse(one) for one in _listed(wanted.get("webhook"))]
        with self._changed:
            if "webhook" in wanted:
                self._webhook, self._left = webhook, [fault.next for fault in webhook]
            if "health" in wanted:
                self._health = None if health is None else str(health)
            if "clock_offset_s" in wanted:
                self.clock_offset_s = float(str(offset))
            self._changed.notify_all()

    def hang(self, place: str, seconds: float = LONGEST_HANG_S) -> None:
        """Return after so long, or as soon as the faults at `place` are others."""
        with self._changed:
            before = self._at(place)
            self._changed.wait_for(lambda: self._at(place) is not before, seconds)

    def _at(self, place: str) -> object:
        return self._webhook if place == "webhook" else self._health


def _listed(given: object) -> list[object]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def _fields(fault: WebhookFault) -> dict[str, Any]:
    return {field.name: getattr(fault, field.name) for field in fields(fault)}


def _type(body: bytes) -> str:
    """The type of the event in `body`; empty when it is none."""
    try:
        event = json.loads(body)
    except ValueError:
        return ""
    return str(event.get("type", "")) if isinstance(event, dict) else ""
