"""POSTs to one endpoint, each answer with its meaning; failures are answers too."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from payops.domain.evidence import Scalar
from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.errors import Failure, SourceError
from payops.webhooks.answers import Answered, answered, is_page

if TYPE_CHECKING:
    from payops.sources.http import HttpAnswer
    from payops.sources.sources import Sources

# Longest wait for one answer. Stripe publishes no figure of its own, only that an endpoint is to
# answer quickly; a healthy one takes well under a second.
PATIENCE_S = 10.0
# What was given less time than this has not shown that it does not answer.
FAIR_S = 2.0
# V-EdFinance lets 3 requests a second through: a second later the next may pass.
_AFTER_THROTTLE_S = 1.1
_SHOWN = 100
_MOST_BODY = 4096


class OutOfTimeError(Exception):
    """The run's deadline is here: what follows is not asked, or was given too little time for its
    silence to mean anything."""


@dataclass(frozen=True)
class Posted:
    """One POST: its meaning, and the answer or why there was none."""

    meaning: Answered
    answer: HttpAnswer | None = None
    error: SourceError | None = None

    @property
    def latency_ms(self) -> float | None:
        return self.answer.latency_ms if self.answer else None

    @property
    def said(self) -> str:
        """Status and the beginning of the body, on one line: `400 {"error": "no signature"}`."""
        if self.answer is None:
            return harmless(" ".join(self.error.told.split())) if self.error else "no answer"
        status = str(self.answer.status)
        if is_page(self.answer):
            return f"{status} and an HTML page"
        body = " ".join(self.answer.body.decode("utf-8", "replace").split())
        return f"{status} {shortened(redact(harmless(body)), _SHOWN)}".rstrip()

    @property
    def detail(self) -> dict[str, Scalar]:
        """The same for the ticket."""
        if self.answer is None:
            return {"failure": self.error.kind.value if self.error else "no answer"}
        found: dict[str, Scalar] = {"http_status": self.answer.status}
        if self.answer.location:
            found["location"] = self.answer.location
        for name in ("server", "cf-ray", "x-request-id"):
            if name in self.answer.headers:
                found[name] = shortened(self.answer.headers[name], _SHOWN)
        return found


LATE = "not told: no time left, see --deadline"


class Post:
    """Sends to one URL, each time anew; keeps to the run's deadline."""

    def __init__(self, url: str, sources: Sources, unsigned_good: Collection[int]) -> None:
        self._url, self._authorization = _without_password(url)
        self._sources = sources
        self._good = unsigned_good

    def __call__(self, body: bytes, signature: str = "", *, url: str = "") -> Posted:
        """POST `body`, with `signature` as `Stripe-Signature` unless it is empty; to `url` if that
        is given, another address of the same host. A 429 is tried once more. Raises
        OutOfTimeError."""
        first = self._once("POST", body, signature, url)
        throttled = first.meaning is Answered.THROTTLED
        if throttled and self._sources.deadline.remaining > _AFTER_THROTTLE_S + FAIR_S:
            time.sleep(_AFTER_THROTTLE_S)
            return self._once("POST", body, signature, url)
        return first

    def get(self) -> Posted:
        """GET the same address. Raises OutOfTimeError."""
        return self._once("GET", None, "", "")

    def _once(self, method: str, body: bytes | None, signature: str, url: str) -> Posted:
        seconds = self._sources.deadline.within(PATIENCE_S)
        if seconds < 0.05:
            raise OutOfTimeError
        # The password is for the address that it was configured with.
        headers = {"Accept": "*/*", "Authorization": "" if url else self._authorization}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        headers["Stripe-Signature"] = signature
        try:
            answer = self._sources.http.request(
                method,
                url or self._url,
                timeout=seconds,
                body=body,
                headers={name: value for name, value in headers.items() if value},
                max_body=_MOST_BODY,
            )
        except SourceError as error:
            if error.kind is Failure.TIMED_OUT and seconds < FAIR_S:
                raise OutOfTimeError from error
            return Posted(Answered.SILENT, error=error)
        return Posted(answered(answer.status, self._good), answer)


def _without_password(url: str) -> tuple[str, str]:
    """The address without `user:password@`, and those as a header: Stripe sends them so too."""
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, ""
    basic = base64.b64encode(unquote(credentials).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), f"Basic {basic}"
