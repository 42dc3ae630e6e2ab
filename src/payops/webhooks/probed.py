"""What probing an endpoint gives: its steps for people, its facts for whoever reasons on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.evidence import Action, Scalar
from payops.domain.status import Status, worst
from payops.webhooks.answers import Answered

if TYPE_CHECKING:
    from payops.domain.secret import Secret
    from payops.errors import Failure


@dataclass(frozen=True)
class Step:
    """One thing that was tried.

    `name` is dns, tcp, tls, redirect, clock, unsigned, wrong-signature, signed, rotation or
    old-timestamp. `seen` is one line. SKIP is what was not asked, with the reason in `seen`.
    `latency_ms` is None where nothing was timed. `detail` holds codes and times for the ticket.
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
    DNS, TCP, TLS or HTTP; while `status` is UNKNOWN it had too little time to mean anything.
    `forged` is the answer to a wrong signature: ACCEPTED is a hole.
    `clock_offset_s` is the endpoint's clock less ours by its `Date` header (a proxy's, maybe), None
    without one; `certificate_left_s` how long the certificate lasts, negative when it has expired.

    Of the signed POSTs, all None or empty when none was sent: `genuine` is the answer to what
    Stripe sends; `fits` the secret that was accepted, None when none was; `swapped` tells that it
    is configured elsewhere; `altered` that the body is changed on its way, `altered_how` how;
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
    certificate_left_s: float | None = None
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
