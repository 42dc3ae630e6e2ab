"""What was seen, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Evidence:
    """One thing that was seen: where (`source`) and when (`as_of`, aware UTC).

    `detail` holds the named values (ids, times as ISO text, counts) for the ticket. Text in it may
    come from outside and is made harmless by the format that shows it.
    """

    what: str
    source: str
    as_of: datetime
    detail: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """What to do next: a text and, where payops can do it, the exact command line."""

    text: str
    command: str = ""
