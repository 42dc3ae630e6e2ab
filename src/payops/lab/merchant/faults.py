"""What the lab can break in the shop, set through its control port."""

from __future__ import annotations

import threading
from collections.abc import Mapping

WEBHOOK = frozenset({"500", "timeout", "wrong_secret", "swallow", "redirect", "403"})
HEALTH = frozenset({"500", "timeout"})
_KNOWN = {"webhook": WEBHOOK, "health": HEALTH}
# A request that is left hanging ends when the fault is lifted, or after this many seconds.
LONGEST_HANG_S = 120.0


class Faults:
    """The faults in force; every method may be called from any thread.

    `webhook`: 500 (the handler fails), timeout (no answer), wrong_secret (every signature is
    refused), swallow (200 and nothing done), redirect (308, which Stripe counts as failed) or 403.
    `health`: 500 or timeout. None is none.
    """

    def __init__(self) -> None:
        self._active: dict[str, str | None] = dict.fromkeys(_KNOWN)
        self._changed = threading.Condition()

    def active(self, place: str) -> str | None:
        """The fault at `webhook` or `health`."""
        return self._active[place]

    def dump(self) -> dict[str, str | None]:
        """All of them."""
        return dict(self._active)

    def change(self, wanted: Mapping[str, object]) -> None:
        """Set the faults that are named, leave the others. Raises ValueError for an unknown one."""
        checked: dict[str, str | None] = {}
        for place, fault in wanted.items():
            if place not in _KNOWN:
                raise ValueError(f"no faults at {place!r}, only at {', '.join(_KNOWN)}")
            if fault is not None and fault not in _KNOWN[place]:
                raise ValueError(f"{place} knows {', '.join(sorted(_KNOWN[place]))}, not {fault!r}")
            checked[place] = None if fault is None else str(fault)
        with self._changed:
            self._active.update(checked)
            self._changed.notify_all()

    def hang(self, place: str) -> None:
        """Return when `place` no longer times out."""
        with self._changed:
            self._changed.wait_for(lambda: self._active[place] != "timeout", LONGEST_HANG_S)
