"""Stripe's status page, in the three shapes that are about.

`/current`: `{largestatus, message, time, statuses}`; `/current/full`: `{UptimeStatus, message,
uptimeData: [{key, title, warning}]}`; `/api/v2/status.json`: `{status: {indicator, description}}`.
None of them is documented by Stripe, so what is not recognised is `unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from payops.domain.text import harmless, shortened

Indicator = Literal["up", "degraded", "down", "unknown"]

# Stripe's own words, and Statuspage's indicators (`none` is up).
_INDICATORS: Mapping[str, Indicator] = {
    "up": "up",
    "none": "up",
    "operational": "up",
    "degraded": "degraded",
    "minor": "degraded",
    "maintenance": "degraded",
    "down": "down",
    "major": "down",
    "critical": "down",
}
_LONGEST = 200


@dataclass(frozen=True)
class StatusPage:
    """What a status page says: advisory, never above a probe of one's own.

    `message` is its own words, on one line. `as_of` is when it was read.
    """

    indicator: Indicator
    message: str
    as_of: datetime


def read_status_page(page: object, as_of: datetime) -> StatusPage:
    """The decoded JSON of a status page.

    >>> from datetime import UTC
    >>> now = datetime(2026, 2, 11, tzinfo=UTC)
    >>> read_status_page({"largestatus": "up", "message": "All systems"}, now).indicator
    'up'
    >>> read_status_page({"status": {"indicator": "major", "description": "API"}}, now).indicator
    'down'
    >>> read_status_page(["?"], now).indicator
    'unknown'
    """
    if not isinstance(page, dict):
        return StatusPage("unknown", "the status page has an unknown shape", as_of)
    nested = page.get("status")
    if isinstance(nested, dict):
        word, said = nested.get("indicator"), nested.get("description")
    else:
        word, said = page.get("largestatus", page.get("UptimeStatus")), page.get("message")
    indicator = _INDICATORS.get(word.strip().lower(), "unknown") if isinstance(word, str) else None
    if indicator is None:
        return StatusPage("unknown", "the status page has an unknown shape", as_of)
    message = shortened(harmless(said), _LONGEST) if isinstance(said, str) else ""
    warnings = _warnings(page)
    return StatusPage(indicator, "; ".join(part for part in (message, warnings) if part), as_of)


def _warnings(page: Mapping[str, object]) -> str:
    """The services that `/current/full` warns of, by title."""
    services = page.get("uptimeData")
    if not isinstance(services, list):
        return ""
    titles = [
        str(service.get("title") or service.get("key"))
        for service in services
        if isinstance(service, dict) and service.get("warning")
    ]
    return shortened(harmless(f"trouble with {', '.join(titles)}"), _LONGEST) if titles else ""
