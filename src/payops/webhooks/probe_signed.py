"""Correctly signed events of a type that moves nothing: which secret fits, and what comes between.

Each is sent as an event of its own, since a handler may know the last one's id. They may leave a
row in the event log: their ids begin with evt_payops_probe_.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from payops.domain.evidence import Action
from payops.domain.secret import fingerprint
from payops.domain.signature import signature_header, signed_with
from payops.domain.status import Status
from payops.webhooks.answers import Answered
from payops.webhooks.bodies import STRIPE, STYLES, Style, in_sorted_order
from payops.webhooks.post import LATE, OutOfTimeError, Post, Posted
from payops.webhooks.probed import Step

if TYPE_CHECKING:
    from datetime import datetime

    from payops.domain.secret import Secret

# Well beyond the tolerance of 300 s, and beyond a clock that is some minutes off.
OLD_S = 3600
Event = Callable[[], dict[str, object]]


@dataclass(frozen=True)
class Signed:
    """As `Probe` has them."""

    steps: tuple[Step, ...]
    genuine: Answered | None = None
    fits: Secret | None = None
    swapped: bool = False
    altered: bool | None = None
    altered_how: str = ""
    replayed: Answered | None = None


@dataclass(frozen=True)
class Signing:
    """What a signed POST is made of. `skew_s` is added to our time: the endpoint's clock."""

    post: Post
    event: Event
    now: datetime

    def send(self, secret: Secret, skew_s: float = 0) -> Posted:
        """POST a new event as Stripe does, signed with `secret`. Raises OutOfTimeError."""
        return self._send(secret, STRIPE.write(self.event()), skew_s)

    def send_rewritten(self, secret: Secret, style: Style) -> Posted:
        """POST a new event as what writes JSON anew in this style would leave it: whether it keeps
        the order of keys or sorts them, sorted ones stay. Raises OutOfTimeError."""
        return self._send(secret, style.write(in_sorted_order(self.event())), 0)

    def _send(self, secret: Secret, body: bytes, skew_s: float) -> Posted:
        stamp = int(self.now.timestamp() + skew_s)
        return self.post(body, signature_header(secret.reveal(), body, stamp))

    def send_two(self, secret: Secret, *, genuine_first: bool) -> Posted:
        """The same with two v1, one of them of another secret, as while a secret is rolled."""
        body = STRIPE.write(self.event())
        stamp = int(self.now.timestamp())
        both = [signed_with(secret.reveal(), body, stamp), secrets.token_hex(32)]
        one, other = both if genuine_first else reversed(both)
        return self.post(body, f"t={stamp},v1={one},v1={other}")


def ask_signed(
    signing: Signing,
    own: Sequence[Secret],
    others: Sequence[Secret],
    *,
    forged: Answered | None,
    clock_offset_s: float | None,
) -> Signed:
    """Send what Stripe would; never raises. `forged` is the answer to a wrong signature."""
    if not own and not others:
        none = "no signing secret is configured: stripe.webhook_secrets or the endpoint's own"
        return Signed((Step("signed", Status.UNKNOWN, none),))
    try:
        if forged is Answered.ACCEPTED:
            return _unproven(signing.send([*own, *others][0]))
        first, secret = _fitting(signing, [*own, *others])
        if secret is None:
            return _refused(signing, first, own, others, clock_offset_s)
    except OutOfTimeError:
        return Signed((Step("signed", Status.UNKNOWN, LATE),))
    swapped = secret not in own
    signed = Signed((_accepted(first, secret, swapped=swapped),), Answered.ACCEPTED, secret)
    return _further(signing, replace(signed, swapped=swapped, altered=False))


def _fitting(signing: Signing, secrets_: Sequence[Secret]) -> tuple[Posted, Secret | None]:
    """The first secret that is accepted, with its answer; else the first answer of all."""
    answers = []
    for secret in secrets_:
        posted = signing.send(secret)
        if posted.meaning is Answered.ACCEPTED:
            return posted, secret
        answers.append(posted)
        if posted.meaning not in (Answered.REFUSED, Answered.OTHER, Answered.FORBIDS):
            break  # 404, 5xx, silence: another secret changes nothing
    return answers[0], None


def _accepted(posted: Posted, secret: Secret, *, swapped: bool) -> Step:
    name = fingerprint(secret.reveal())
    step = Step("signed", Status.OK, f"accepted: {posted.said}", posted.latency_ms, posted.detail)
    step = replace(step, detail={**step.detail, "fits": name})
    if not swapped:
        return step
    return replace(
        step,
        status=Status.CRIT,
        seen=f"accepted with {name}, configured elsewhere and not for this endpoint: swapped?",
        actions=(Action("Give each endpoint its own secret, from its page in Stripe's Dashboard"),),
    )


def _unproven(posted: Posted) -> Signed:
    """Where anything is accepted, a genuine signature proves nothing."""
    if posted.meaning is Answered.ACCEPTED:
        seen = f"accepted, as is a wrong signature, so it proves nothing: {posted.said}"
        status = Status.WARN
    else:
        seen, status = f"a genuine event is not accepted: {posted.said}", Status.CRIT
    step = Step("signed", status, seen, posted.latency_ms, posted.detail)
    return Signed((step,), posted.meaning)


def _refused(
    signing: Signing,
    first: Posted,
    own: Sequence[Secret],
    others: Sequence[Secret],
    offset: float | None,
) -> Signed:
    """No secret was accepted with Stripe's own bytes: look for what is accepted instead."""
    step = Step("signed", Status.CRIT, "", first.latency_ms, first.detail)
    if first.meaning is not Answered.REFUSED:
        seen = f"a genuine event is not accepted: {first.said}"
        see = Action("Look at the application's log of this moment")
        return Signed((replace(step, seen=seen, actions=(see,)),), first.meaning)
    for secret in (*own, *others):
        for style in STYLES:
            if signing.send_rewritten(secret, style).meaning is Answered.ACCEPTED:
                return _altered(step, secret, style, swapped=secret not in own)
    if offset is not None and abs(offset) > 60:
        for secret in (*own, *others):
            if signing.send(secret, skew_s=offset).meaning is Answered.ACCEPTED:
                seen = "accepted only with the endpoint's own time in it: its clock is wrong"
                mend = Action("Set the endpoint's clock: `timedatectl set-ntp true`")
                skewed = replace(step, seen=seen, actions=(mend,))
                return Signed((skewed,), first.meaning, secret, secret not in own, altered=False)
    count = len(own) + len(others)
    tried = "the configured secret" if count == 1 else f"any of {count} configured secrets"
    return Signed(
        (
            replace(
                step,
                seen=f"refused with {tried}, in every encoding: {first.said}",
                actions=(
                    Action(
                        "Compare the application's secret with the endpoint's page in Stripe's "
                        "Dashboard: it has another one, or none"
                    ),
                    Action(
                        "If they are the same, the handler does not verify the raw body "
                        "(a parsed one, or none: NestJS without rawBody)"
                    ),
                    Action(
                        "With a delivery that was captured, raw body and header, see which it is",
                        "payops webhooks verify --payload body.json --header @header.txt",
                    ),
                ),
            ),
        ),
        first.meaning,
    )


def _altered(step: Step, secret: Secret, style: Style, *, swapped: bool) -> Signed:
    step = replace(
        step,
        seen=f"Stripe's own bytes are refused; accepted is the body {style.name}, its keys sorted: "
        "something on its way writes it anew",
        detail={**step.detail, "fits": fingerprint(secret.reveal()), "accepted": style.name},
        actions=(
            Action(
                "Give the handler the raw body: no JSON middleware before it, no proxy or function "
                "gateway that parses it"
            ),
        ),
    )
    return Signed((step,), Answered.REFUSED, secret, swapped, altered=True, altered_how=style.name)


def _further(signing: Signing, signed: Signed) -> Signed:
    """With a secret that fits: two signatures at once, and an old one."""
    assert signed.fits is not None  # noqa: S101  the caller's promise
    steps = list(signed.steps)
    replayed: Answered | None = None
    try:
        steps.append(_rotation(signing, signed.fits))
        old = signing.send(signed.fits, skew_s=-OLD_S)
        replayed = old.meaning
        steps.append(_old(old))
    except OutOfTimeError:
        steps.append(Step("old-timestamp", Status.UNKNOWN, LATE))
    return replace(signed, steps=tuple(steps), replayed=replayed)


def _rotation(signing: Signing, secret: Secret) -> Step:
    """While a secret is rolled Stripe signs with both, and either must do (docs, 'Webhooks').

    DebtFlow looks at the last v1 only.
    """
    first = signing.send_two(secret, genuine_first=True)
    last = signing.send_two(secret, genuine_first=False)
    good = [posted.meaning is Answered.ACCEPTED for posted in (first, last)]
    if all(good):
        return Step("rotation", Status.OK, "either of two signatures will do", first.latency_ms)
    which = {(True, False): "first", (False, True): "last"}.get((good[0], good[1]))
    bad = last if good[0] else first
    return Step(
        "rotation",
        Status.WARN,
        f"of two signatures only the {which} counts: events are lost while a secret is rolled"
        if which
        else f"two signatures in a header are refused, of which one fits: {bad.said}",
        bad.latency_ms,
        bad.detail,
        (Action("Accept any v1 of the header, as Stripe's SDK does, before a secret is rolled"),),
    )


def _old(posted: Posted) -> Step:
    if posted.meaning is Answered.ACCEPTED:
        seen = (
            f"a signature of an hour ago is accepted, so a delivery can be replayed: {posted.said}"
        )
        mend = Action("Refuse timestamps older than 300 s (the SDK does, unless tolerance is 0)")
        return Step("old-timestamp", Status.WARN, seen, posted.latency_ms, posted.detail, (mend,))
    if posted.meaning in (Answered.REFUSED, Answered.FORBIDS, Answered.OTHER):
        seen, status = f"refused, as it should be: {posted.said}", Status.OK
    else:
        seen, status = f"neither accepted nor refused: {posted.said}", Status.WARN
    return Step("old-timestamp", status, seen, posted.latency_ms, posted.detail)
