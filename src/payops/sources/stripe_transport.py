"""The Stripe SDK's HTTP client over urllib3: every byte to Stripe goes through here.

The SDK makes the request (authentication, version, encoding) and reads errors; this sends it,
once. Retries are the source's, since the SDK does not retry a plain 429 and knows no deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from payops.errors import Failure, SourceError
from payops.sources.stripe_sdk import stripe
from payops.sources.wire import Reply, Wire

# The largest page seen is 100 objects of some 10 kB each; far more is not an answer of Stripe's,
# and a dozen checks that hold one each would take the machine's memory.
MOST_BODY = 16 * 1024 * 1024
_NO_TIME = 0.001


def refuse_cut(reply: Reply, url: str) -> None:
    """Raises SourceError for an answer that is larger than any of Stripe's."""
    if reply.cut:
        raise SourceError(
            "stripe",
            Failure.BAD_ANSWER,
            f"{urlsplit(url).path}: more than {MOST_BODY // 2**20} MB are no answer of Stripe's",
            hint="look at stripe.api_base, and at what stands between here and there",
            http_status=reply.status,
        )


class Transport(stripe.HTTPClient):
    """Sends single requests and remembers each thread's last answer."""

    name: ClassVar[str] = "urllib3"

    def __init__(self, wire: Wire, *, pinned_version: bool) -> None:
        super().__init__()
        self._wire = wire
        self._pinned_version = pinned_version
        self._here = threading.local()

    def answer_within(self, seconds: float) -> None:
        """Time limit of this thread's next request."""
        self._here.seconds = seconds
        self._here.reply = None

    @property
    def reply(self) -> Reply | None:
        """This thread's last answer; None when there was none."""
        return getattr(self._here, "reply", None)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Called by the SDK. Raises SourceError when there is no answer."""
        sent = dict(headers or {})
        if not self._pinned_version:
            # Without it Stripe answers in the account's own version, which its webhooks have too.
            sent.pop("Stripe-Version", None)
        reply = self._wire.exchange(
            method.upper(),
            url,
            seconds=getattr(self._here, "seconds", _NO_TIME),
            headers=sent,
            body=post_data.encode() if isinstance(post_data, str) else post_data,
            max_body=MOST_BODY,
        )
        refuse_cut(reply, url)
        self._here.reply = reply
        return reply.body.decode("utf-8", "replace"), reply.status, reply.headers

    def close(self) -> None:
        """Drop idle connections."""
        self._wire.close()
