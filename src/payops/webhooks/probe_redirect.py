"""A redirect: where to, what that means, and what is there. Stripe follows none (S4-05)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from payops.domain.evidence import Action
from payops.domain.status import Status
from payops.webhooks.answers import Answered
from payops.webhooks.post import OutOfTimeError, Post, Posted
from payops.webhooks.probed import Step

_PORTS = {"http": 80, "https": 443}
# Where frameworks and single sign-on send a stranger.
_LOGIN = frozenset(
    {"login", "log-in", "signin", "sign-in", "sign_in", "sso", "auth", "oauth", "oauth2", "account"}
)


def redirect(post: Post, posted: Posted, body: Callable[[], bytes]) -> Step:
    """What the answer `posted` says of redirects. Another address of the same host is asked in its
    turn, without a signature: whether it is the one to register."""
    answer = posted.answer
    if answer is None or posted.meaning is not Answered.REDIRECTS:
        return Step("redirect", Status.OK, "none")
    target = answer.location
    if not target:
        return Step("redirect", Status.CRIT, f"{answer.status} to nowhere")
    seen = f"{answer.status} to {target}"
    detail = {"location": target}
    if is_login(target):
        wall = Action("Let POSTs to this path pass without a login: its signature is its login")
        return Step("redirect", Status.CRIT, f"{seen} (a login wall)", None, detail, (wall,))
    if not _is_address(target):
        return Step("redirect", Status.CRIT, f"{seen} (no address)", None, detail)
    there = _there(post, answer.url, target, body)
    mend = Action(
        f"Register {target} with Stripe in place of {answer.url}, or serve the endpoint without "
        "the redirect"
    )
    seen += _difference(answer.url, target) + there
    return Step("redirect", Status.CRIT, seen, None, detail, (mend,))


def _there(post: Post, url: str, target: str, body: Callable[[], bytes]) -> str:
    """What the target answers; a host that nobody named is not asked, nor another of its ports:
    what listens there may be for this network alone."""
    one, other = urlsplit(url), urlsplit(target)
    same = one.hostname == other.hostname and other.scheme in (one.scheme, "https")
    if not same or _port(other) not in {_port(one), _PORTS["https"]} or url == target:
        return ""
    try:
        return f"; there: {post(body(), url=target).said}"
    except OutOfTimeError:
        return ""


def _is_address(target: str) -> bool:
    try:
        parts = urlsplit(target)
        return parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _difference(url: str, target: str) -> str:
    """What changed, where it is one of the usual things."""
    one, other = urlsplit(url), urlsplit(target)
    if (one.scheme, other.scheme) == ("http", "https"):
        return " (http to https)"
    if one.path + "/" == other.path:
        return " (a trailing slash)"
    if one.path == other.path + "/":
        return " (no trailing slash)"
    if one.hostname == f"www.{other.hostname}":
        return " (without www)"
    if other.hostname == f"www.{one.hostname}":
        return " (with www)"
    return ""


def is_login(target: str) -> bool:
    """Whether an address is where a stranger is sent to log in, by its words.

    >>> is_login("/accounts/login/?next=/hook"), is_login("https://x.example/authors")
    (True, False)
    """
    try:
        parts = urlsplit(target.lower())
        host = parts.hostname or ""
    except ValueError:
        return False
    words = {part.partition(".")[0] for part in parts.path.split("/")} | {host.partition(".")[0]}
    return bool(words & _LOGIN)
