"""Probe one endpoint as Stripe would reach it: what the runbooks do with curl, whole.

DNS, TCP, TLS, an unsigned POST, a wrongly signed one, and only when asked a correctly signed event
of a type that moves nothing. S0-24, S0-25, S3-08, S4-41.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from payops.domain.secret import masked_url
from payops.domain.status import Status
from payops.webhooks.answers import Answered
from payops.webhooks.bodies import STRIPE
from payops.webhooks.post import LATE, OutOfTimeError, Post
from payops.webhooks.probe_event import probe_event
from payops.webhooks.probe_reach import reach
from payops.webhooks.probe_signed import Signing, ask_signed
from payops.webhooks.probe_unsigned import ask_unsigned
from payops.webhooks.probed import Probe, Step
from payops.webhooks.secrets import known_secrets, own_secrets

if TYPE_CHECKING:
    from datetime import datetime

    from payops.config.settings import Settings
    from payops.config.webhooks import WebhookEndpoint
    from payops.domain.secret import Secret
    from payops.sources.sources import Sources

__all__ = ["Probe", "Step", "probe", "probe_endpoint"]


def probe(
    url: str,
    sources: Sources,
    *,
    now: datetime,
    name: str = "",
    secrets: Sequence[Secret] = (),
    others: Sequence[Secret] = (),
    signed: bool = False,
    event_type: str = "product.updated",
    livemode: bool = False,
    unsigned_good: Collection[int] = (400,),
    unreachable: Status = Status.CRIT,
) -> Probe:
    """Probe `url`; never raises for what the endpoint does.

    `secrets` are those that it should accept, `others` those of other endpoints (accepted, they
    were swapped). Nothing is signed with either unless `signed`. `now` is aware UTC. `unreachable`
    is the status of what does not answer.
    """
    probed = Probe(url=masked_url(url), name=name or masked_url(url), as_of=now, steps=())
    reached = reach(url, sources, unreachable)
    probed = replace(
        probed,
        steps=reached.steps,
        failure=reached.failure,
        certificate_left_s=reached.certificate_left_s,
    )
    if reached.failure is not None:
        left = ["redirect", "unsigned", "wrong-signature", *(["signed"] if signed else [])]
        skipped = (Step(each, Status.SKIP, "not asked: there is no way") for each in left)
        return replace(probed, steps=(*reached.steps, *skipped))
    post = Post(url, sources, unsigned_good)

    def event() -> dict[str, object]:
        return probe_event(event_type, now, livemode=livemode)

    good = " or ".join(map(str, sorted(unsigned_good))) or "400"
    try:
        first = ask_unsigned(post, lambda: STRIPE.write(event()), now, good, unreachable)
    except OutOfTimeError:
        late = Step("unsigned", Status.UNKNOWN, LATE)
        return replace(probed, steps=(*reached.steps, late))
    probed = replace(
        probed,
        steps=(*reached.steps, *first.steps),
        answered=first.meaning,
        http_status=first.posted.answer.status if first.posted.answer else None,
        location=first.posted.answer.location if first.posted.answer else "",
        failure=first.posted.error.kind if first.posted.error else None,
        forged=first.forged.meaning if first.forged else None,
        clock_offset_s=first.clock_offset_s,
    )
    if not signed:
        return probed
    if first.meaning in (Answered.SILENT, Answered.REDIRECTS):
        skip = Step("signed", Status.SKIP, "not asked: the unsigned POST did not reach a handler")
        return replace(probed, steps=(*probed.steps, skip))
    found = ask_signed(
        Signing(post, event, now),
        secrets,
        others,
        forged=probed.forged,
        clock_offset_s=first.clock_offset_s,
    )
    return replace(
        probed,
        steps=(*probed.steps, *found.steps),
        genuine=found.genuine,
        fits=found.fits,
        swapped=found.swapped,
        altered=found.altered,
        altered_how=found.altered_how,
        replayed=found.replayed,
    )


def probe_endpoint(
    endpoint: WebhookEndpoint,
    settings: Settings,
    sources: Sources,
    *,
    now: datetime,
    signed: bool = False,
) -> Probe:
    """Probe a configured endpoint with the secrets, codes and type that the configuration gives."""
    own = own_secrets(settings, endpoint)
    key = settings.stripe.secret_key.reveal() if settings.stripe else ""
    return probe(
        endpoint.url,
        sources,
        now=now,
        name=endpoint.name,
        secrets=own,
        others=[each.secret for each in known_secrets(settings) if each.secret not in own],
        signed=signed,
        event_type=settings.webhooks.probe_event,
        livemode="_live_" in key,
        unsigned_good=settings.webhooks.unsigned,
        unreachable=Status[settings.unreachable],
    )
