"""The certificate of the webhook's address ran out a moment ago.

Stripe delivers to no address whose certificate does not verify: whatever it tells from now on is
lost until the certificate is renewed (runbook 000, webhook endpoint). What it told before arrived.
The certificate is real, and so is the front that shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab import background
from payops.lab.keyfaults import exchange, put_right, quoted
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.tls_front import put_before

LASTS = timedelta(days=90)


def inject(lab: Lab, parameters: Parameters) -> None:
    ended = datetime.now(UTC) - timedelta(minutes=parameters["minutes"])
    url = put_before(lab, lab.info.webhook_endpoint, ended - LASTS, ended)
    exchange(lab, quoted(lab.info.webhook_endpoint), quoted(url))


def heal(lab: Lab) -> None:
    put_right(lab)
    background.end(lab)


SCENARIO = Scenario(
    title="The certificate of the webhook's address has expired",
    runbook="000, webhook endpoint; 001, security",
    breaks="the configured endpoint is served with a certificate that ran out",
    expected={"app.tls": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"configuration"}),
    parameters={"minutes": Parameter(10, 1, 100_000, "how long ago")},
    outside="renew the certificate",
)
