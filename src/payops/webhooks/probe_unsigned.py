"""POSTs that nobody signed: what an endpoint answers to strangers (S0-24, S0-25)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from payops.domain.duration import human_duration
from payops.domain.evidence import Action
from payops.domain.signature import TOLERANCE_S
from payops.domain.status import Status
from payops.domain.threshold import Threshold
from payops.errors import Failure
from payops.sources.clock import http_date
from payops.webhooks.answers import Answered, is_page
from payops.webhooks.post import LATE, OutOfTimeError, Post, Posted
from payops.webhooks.probe_redirect import redirect
from payops.webhooks.probed import Step

if TYPE_CHECKING:
    from datetime import datetime

CLOCK = Threshold(
    60, TOLERANCE_S, "s", "payops; beyond 300 s every signature is too old or from the future"
)


@dataclass(frozen=True)
class Unsigned:
    """Answers to a POST without a signature and to one with a wrong one, and what follows."""

    steps: tuple[Step, ...]
    posted: Posted
    meaning: Answered
    clock_offset_s: float | None = None
    forged: Posted | None = None


def ask_unsigned(
    post: Post, body: Callable[[], bytes], now: datetime, good: str, unreachable: Status
) -> Unsigned:
    """POST without a signature, then with one that no secret made. Raises OutOfTimeError.

    `body` makes a new event each time: a handler may know the last one's id. `good` are the
    configured codes, for people.
    """
    posted = post(body())
    meaning = _meaning(post, posted)
    first = replace(
        _judged(posted, meaning, good, unreachable),
        name="unsigned",
        latency_ms=posted.latency_ms,
        detail=posted.detail,
    )
    if posted.answer is None:
        return Unsigned((first,), posted, meaning)
    offset = _clock_offset(posted)
    before = (redirect(post, posted, body), *_clock(offset))
    if meaning is Answered.REDIRECTS:
        redirected = Step("wrong-signature", Status.SKIP, "not asked: every POST is redirected")
        return Unsigned((*before, first, redirected), posted, meaning, offset)
    # As long as a signature is, and none: nothing of ours has made it.
    try:
        forged = post(body(), f"t={int(now.timestamp())},v1={secrets.token_hex(32)}")
    except OutOfTimeError:
        late = Step("wrong-signature", Status.UNKNOWN, LATE)
        return Unsigned((*before, first, late), posted, meaning, offset)
    second = replace(
        _forged(forged, meaning, unreachable),
        name="wrong-signature",
        latency_ms=forged.latency_ms,
        detail=forged.detail,
    )
    if forged.meaning is Answered.REFUSED and meaning in (Answered.FORBIDS, Answered.FAILS):
        first = _milder(first, posted, forged)
    return Unsigned((*before, first, second), posted, meaning, offset, forged)


def _meaning(post: Post, posted: Posted) -> Answered:
    """A 400 that is an HTML page may be the handler's own: what GET gets tells."""
    if posted.meaning is not Answered.REFUSED or posted.answer is None:
        return posted.meaning
    if posted.answer.status != 400 or not is_page(posted.answer):
        return posted.meaning
    other = post.get()
    same = other.answer is not None and other.answer.status == 400 and is_page(other.answer)
    return Answered.PAGE if same else Answered.REFUSED


def _judged(posted: Posted, meaning: Answered, good: str, unreachable: Status) -> Step:
    said = posted.said
    match meaning:
        case Answered.SILENT:
            return _silent(posted, unreachable)
        case Answered.REFUSED:
            return Step("", Status.OK, f"refused, as it should be: {said}")
        case Answered.ACCEPTED:
            return Step(
                "",
                Status.CRIT,
                f"a hole: a POST without a signature is accepted: {said}",
                actions=(
                    Action(
                        "Verify Stripe-Signature in the handler: as it is, anybody can tell it that"
                        " an order was paid. Is its signing secret set at all?"
                    ),
                ),
            )
        case Answered.REDIRECTS:
            return Step("", Status.CRIT, f"redirected, which Stripe does not follow: {said}")
        case Answered.FORBIDS:
            return Step(
                "",
                Status.CRIT,
                f"a login wall or a firewall's rule, not a signature's refusal: {said}",
                actions=(
                    Action(
                        "Let POSTs to this path pass without a login: its signature is its login "
                        "(middleware, permission classes, CSRF, basic auth, WAF)"
                    ),
                ),
            )
        case Answered.MISSING:
            return Step(
                "",
                Status.CRIT,
                f"nothing is served under this path: {said}",
                actions=(Action("Compare the path with the application's routes"),),
            )
        case Answered.METHOD:
            return Step(
                "",
                Status.CRIT,
                f"the path takes no POST: {said}",
                actions=(Action("Compare path and trailing slash with the application's routes"),),
            )
        case Answered.PAGE:
            return Step(
                "",
                Status.CRIT,
                f"a page, to GET as well: a wrong Host (ALLOWED_HOSTS) or a proxy: {said}",
                actions=(Action("Add this host to those that the application serves"),),
            )
        case Answered.THROTTLED:
            return Step(
                "",
                Status.WARN,
                f"throttled, twice; Stripe's bursts meet the same: {said}",
                actions=(Action("Take the endpoint out of the rate limit"),),
            )
        case Answered.FAILS:
            return Step(
                "",
                Status.CRIT,
                f"a broken handler: {said}; right is {good}",
                actions=(
                    Action(
                        "Look at the application's log of this moment: a missing header must be "
                        "refused, not break it. If that is how it is built, add the code to "
                        "webhooks.unsigned"
                    ),
                ),
            )
        case Answered.OTHER:
            return Step(
                "",
                Status.WARN,
                f"refused with an unusual code: {said}; right is {good}",
                actions=(Action("If that is how it is built, add the code to webhooks.unsigned"),),
            )


def _silent(posted: Posted, unreachable: Status) -> Step:
    hint = posted.error.hint if posted.error else ""
    certain = posted.error is not None and posted.error.kind is Failure.TLS
    status = Status.CRIT if certain else unreachable
    return Step("", status, posted.said, actions=(Action(hint),) if hint else ())


def _forged(forged: Posted, unsigned: Answered, unreachable: Status) -> Step:
    match forged.meaning:
        case Answered.ACCEPTED:
            return Step(
                "",
                Status.CRIT,
                f"a hole: a wrong signature is accepted: {forged.said}",
                actions=(
                    Action(
                        "Verify the signature itself, not only that there is one: as it is, anybody"
                        " can tell the handler that an order was paid"
                    ),
                ),
            )
        case Answered.REFUSED:
            return Step("", Status.OK, f"refused, as it should be: {forged.said}")
        case Answered.SILENT:
            return _silent(forged, unreachable)
        case Answered.FAILS if unsigned is not Answered.FAILS:
            return Step(
                "",
                Status.CRIT,
                f"the handler breaks on a wrong signature: {forged.said}",
                actions=(Action("Look at the application's log of this moment"),),
            )
        case same if same is unsigned:
            return Step("", Status.SKIP, f"not told: answered like the unsigned one: {forged.said}")
        case Answered.FORBIDS | Answered.OTHER if unsigned is Answered.REFUSED:
            return Step("", Status.OK, f"refused: {forged.said}")
    return Step("", Status.WARN, f"neither accepted nor refused: {forged.said}")


def _milder(step: Step, posted: Posted, forged: Posted) -> Step:
    """The handler answers as soon as there is a header: no wall, and not broken for Stripe."""
    status = posted.answer.status if posted.answer else 0
    return replace(
        step,
        status=Status.WARN,
        seen=f"{posted.said} without the header, while a wrong signature is refused well",
        actions=(
            Action(f"If that is how it is built, add {status} to webhooks.unsigned: Stripe signs"),
        ),
    )


def _clock_offset(posted: Posted) -> float | None:
    """Seconds that the endpoint's clock is ahead of ours: `Date` has whole seconds, half of one is
    added, and half the time that the answer took is taken from ours."""
    if posted.answer is None:
        return None
    theirs = http_date(posted.answer.headers.get("date"))
    if theirs is None:
        return None
    ours = posted.answer.as_of - timedelta(milliseconds=posted.answer.latency_ms / 2)
    return (theirs - ours).total_seconds() + 0.5


def _clock(offset: float | None) -> tuple[Step, ...]:
    if offset is None:
        return ()
    status = CLOCK.judge(abs(offset))
    detail = {"offset_s": round(offset)}
    if status is Status.OK:
        return (Step("clock", status, "as ours, to some seconds", detail=detail),)
    where = "ahead of" if offset > 0 else "behind"
    seen = f"{human_duration(abs(offset))} {where} ours, by its Date header (or a proxy's)"
    action = Action("Compare both clocks with a time server: `chronyc tracking`, `timedatectl`")
    return (Step("clock", status, seen, detail=detail, actions=(action,)),)
