"""An HTTP answer with a JSON body, or with a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """HTTP status, JSON body (a text is HTML) and further headers.

    `status` 0 closes the connection unanswered. `drip_s` is the pause before each byte.
    """

    status: int
    body: Mapping[str, object] | str
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0.0

    @property
    def content_type(self) -> str:
        """Of the body."""
        return "text/html; charset=utf-8" if isinstance(self.body, str) else "application/json"

    def encoded(self) -> bytes:
        """The body as it is sent."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


NO_ANSWER = Answer(0, {})
