"""What an endpoint's HTTP answer to a POST means on the way of an event."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.sources.http import HttpAnswer


class Answered(Enum):
    """An answer by what it means; the value is the word in JSON."""

    ACCEPTED = "accepted"
    """2xx: to Stripe a delivery that succeeded."""
    REFUSED = "refused"
    """400, or what the configuration calls a good answer to a POST without a signature."""
    REDIRECTS = "redirects"
    """3xx: Stripe does not follow it."""
    FORBIDS = "forbids"
    """401, 403, 407: a login wall, a firewall's rule; it says nothing of the signature."""
    MISSING = "missing"
    """404, 410: nothing is registered under this path."""
    METHOD = "method"
    """405: the path exists and takes no POST."""
    PAGE = "page"
    """400 with an HTML page, to GET as well: a wrong Host (Django's ALLOWED_HOSTS), a proxy."""
    THROTTLED = "throttled"
    """429."""
    FAILS = "fails"
    """5xx."""
    OTHER = "other"
    """Any other 4xx, or no status that HTTP knows."""
    SILENT = "silent"
    """No answer at all: DNS, refused, TLS, timeout, hung up."""


_EXACT = {
    401: Answered.FORBIDS,
    403: Answered.FORBIDS,
    407: Answered.FORBIDS,
    404: Answered.MISSING,
    410: Answered.MISSING,
    405: Answered.METHOD,
    429: Answered.THROTTLED,
    400: Answered.REFUSED,
}


def answered(status: int, unsigned_good: Collection[int] = (400,)) -> Answered:
    """The meaning of a status alone; the configuration's word comes first, but 2xx stays 2xx.

    >>> answered(403).value, answered(403, (400, 403)).value, answered(201, (201,)).value
    ('forbids', 'refused', 'accepted')
    """
    if 200 <= status < 300:
        return Answered.ACCEPTED
    if status in unsigned_good:
        return Answered.REFUSED
    if 300 <= status < 400:
        return Answered.REDIRECTS
    if 500 <= status < 600:
        return Answered.FAILS
    return _EXACT.get(status, Answered.OTHER)


def is_page(answer: HttpAnswer) -> bool:
    """Whether the body is HTML, by the body itself: Express calls every text `text/html`."""
    return answer.body.lstrip()[:1] == b"<"
