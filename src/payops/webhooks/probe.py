"""Probe one endpoint as Stripe would reach it: what the runbooks do with curl, whole.

DNS, TCP, TLS, an unsigned POST, a wrongly signed one, and only when asked a correctly signed event
of a type that moves nothing. S0-36, S0-37, S0-25, S3-08, S4-41.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.evidence import Action, Scalar
from payops.domain.status import Status, worst
from payops.webhooks.answers import Answered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from payops.config.settings import Settings
    from payops.config.webhooks import WebhookEndpoint
    from payops.domain.secret import Secret
    from payops.errors import Failure
    from payops.sources.sources import Sources


@dataclass(frozen=True)
class Step:
    """One thing that was tried.

    `name` is dns, tcp, tls, redirect, clock, unsigned, wrong-signature, signed, rotation or
    old-timestamp. `seen` is one line. SKIP is what was not asked, with the reason in `seen`.
    `latency_ms` is None where nothing was timed. `detail` holds ids, codes and times for the ticket.
    """

    name: str
    status: Status
    seen: str
    latency_ms: float | None = None
    detail: Mapping[str, Scalar] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Probe:
    """What an endpoint was seen to do.

    Of the unsigned POST: `answered` (SILENT when there was no answer, None when it was not sent),
    `http_status`, `location` (of a 3xx, absolute). `failure` says why nothing answered at all, in
    DNS, TCP, TLS or HTTP. `forged` is the answer to a wrong signature: ACCEPTED is a hole.
    `clock_offset_s` is the endpoint's clock less ours by its `Date` header (a proxy's, maybe), None
    without one. Of the signed POSTs, all None or empty when none was sent: `genuine` is the answer
    to what Stripe sends; `fits` the secret that was accepted, None when none was; `swapped` tells
    that it is another endpoint's; `altered` that the body is changed on its way, `altered_how` how;
    `replayed` the answer to an old timestamp. `as_of` is aware UTC, `url` without a password.
    """

    url: str
    name: str
    as_of: datetime
    steps: tuple[Step, ...]
    answered: Answered | None = None
    http_status: int | None = None
    location: str = ""
    failure: Failure | None = None
    forged: Answered | None = None
    clock_offset_s: float | None = None
    genuine: Answered | None = None
    fits: Secret | None = None
    swapped: bool = False
    altered: bool | None = None
    altered_how: str = ""
    replayed: Answered | None = None

    @property
    def status(self) -> Status:
        """The worst of the steps."""
        return worst(step.status for step in self.steps)


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
    unsigned_good: Collection[int] = (400,),
) -> Probe:
    """Probe `url`; never raises for what the endpoint does.

    `secrets` are those that it should accept, `others` those of other endpoints (accepted, they
    were swapped). Nothing is signed with either unless `signed`. `now` is aware UTC.
    """
    raise NotImplementedError


def probe_endpoint(
    endpoint: WebhookEndpoint,
    settings: Settings,
    sources: Sources,
    *,
    now: datetime,
    signed: bool = False,
) -> Probe:
    """Probe a configured endpoint with the secrets, codes and type that the configuration gives."""
    raise NotImplementedError
