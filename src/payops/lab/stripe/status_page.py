"""Stripe's status page in the three shapes that clients read, and in one that none knows.

`/current` is what stripe-cli reads, `/current/full` what newer public code reads, and
`/api/v2/status.json` the shape of Statuspage, which runbooks call.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from payops.lab.stripe.clock import Clock
from payops.lab.stripe.wire import Answer, Request

STATES = ("up", "degraded", "down")
_MESSAGES = {
    "up": "All services are online.",
    "degraded": "We are experiencing elevated error rates.",
    "down": "We are investigating a major outage.",
}
_INDICATORS = {"up": "none", "degraded": "minor", "down": "critical"}


@dataclass(slots=True)
class StatusPage:
    """What the page says. With `unknown_shape` it answers JSON that means nothing."""

    clock: Clock
    state: str = "up"
    message: str = _MESSAGES["up"]
    unknown_shape: bool = False

    def change(self, given: dict[str, Any]) -> None:
        """Set `state` (up, degraded, down), `message`, `unknown_shape`. Raises ValueError."""
        unknown = set(given) - {"state", "message", "unknown_shape"}
        state = given.get("state", self.state)
        if unknown or state not in STATES:
            raise ValueError(f"a status has state ({', '.join(STATES)}), message, unknown_shape")
        self.state = state
        self.message = given.get("message") or _MESSAGES[state]
        self.unknown_shape = bool(given.get("unknown_shape", self.unknown_shape))

    def dump(self) -> dict[str, Any]:
        """What is set, as `change` takes it."""
        fields = asdict(self)
        del fields["clock"]
        return fields

    async def handle(self, request: Request) -> Answer:
        """Answer one request."""
        shapes = {
            "/current": self._current,
            "/current/full": self._full,
            "/api/v2/status.json": self._statuspage,
        }
        shape = shapes.get(request.path.rstrip("/"))
        if shape is None or request.method not in ("GET", "HEAD"):
            return Answer(404, b"Not Found", content_type="text/plain")
        body = {"schema": 7, "health": {"colour": "green"}} if self.unknown_shape else shape()
        return Answer(200, json.dumps(body).encode())

    def _current(self) -> dict[str, Any]:
        return {
            "largestatus": self.state,
            "message": self.message,
            "time": self.clock.date(),
            "statuses": {"API": self.state, "Dashboard": "up", "Webhooks": "up"},
        }

    def _full(self) -> dict[str, Any]:
        return {
            "UptimeStatus": self.state,
            "message": self.message,
            "uptimeData": [
                {"key": "api", "title": "API", "warning": self.state != "up"},
                {"key": "dashboard", "title": "Dashboard", "warning": False},
            ],
        }

    def _statuspage(self) -> dict[str, Any]:
        return {
            "page": {"id": "lab", "name": "Stripe", "url": "https://status.stripe.com"},
            "status": {"indicator": _INDICATORS[self.state], "description": self.message},
        }
