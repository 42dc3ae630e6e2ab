"""`--heartbeat URL`: a dead-man's switch in the manner of healthchecks.io.

`URL/start` when the run begins, then `URL` for OK and WARN, or `URL/fail` for CRIT, UNKNOWN and a
fault of payops, with the summary as the body. WARN is no failure: the switch wakes somebody. A run
that dies, or is interrupted, pings nothing more, and the switch notices that by itself.

Bounded, and never part of the result: what goes wrong here is told and no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit, urlunsplit

from payops.domain.deadline import Deadline
from payops.domain.secret import redact, remember_address
from payops.domain.text import harmless
from payops.errors import SourceError, UsageError

# Of one ping in all, attempts included: most failures of a ping are a packet lost.
_SECONDS = 6.0
_ATTEMPT_S = 2.0
_ATTEMPTS = 3
_MOST_BODY = 10_000  # bytes; what older installations of healthchecks keep
_GOOD = frozenset({0, 1})


class Heartbeat:
    """One run's pings. Raises UsageError when the address is none."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        remember_address(url)
        self._parts = _split(url)
        self._tell = tell
        self._started: threading.Thread | None = None

    def start(self) -> None:
        """Ping `/start`, beside the run, which does not wait for it."""
        self._started = threading.Thread(
            target=self._ping, args=("/start", ""), name="heartbeat", daemon=True
        )
        self._started.start()

    def finish(self, exit_status: int, said: str) -> None:
        """Ping success or `/fail`, with what the run said. Takes a few seconds at most."""
        if self._started is not None:
            self._started.join(_SECONDS)  # the switch must not see the start after the end
        self._ping("" if exit_status in _GOOD else "/fail", said)

    def _ping(self, suffix: str, said: str) -> None:
        from payops.sources.http import HttpSource

        parts = self._parts
        url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix))
        body = redact(said).encode("utf-8", "replace")[:_MOST_BODY]
        source = HttpSource(Deadline.after(_SECONDS))
        why = ""
        try:
            for _ in range(_ATTEMPTS):
                try:
                    answer = source.request(
                        "POST",
                        url,
                        timeout=_ATTEMPT_S,
                        body=body,
                        headers={"Content-Type": "text/plain; charset=utf-8"},
                    )
                except SourceError as error:
                    why = error.kind.value  # its message has the address in it
                    continue
                if answer.status < 300:
                    return
                why = f"HTTP {answer.status}"
                if answer.status < 500:
                    break  # asked again it says the same
            self._tell(
                f"payops: the heartbeat was not heard at {harmless(parts.hostname or '')}: {why}"
            )
        finally:
            source.close()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            "--heartbeat: that is no http(s) address", hint="https://hc-ping.com/YOUR-UUID"
        )
    return parts._replace(fragment="")
