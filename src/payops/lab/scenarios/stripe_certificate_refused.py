"""A company's proxy opens TLS to Stripe with a certificate of its own, which nobody here knows.

Stripe is well and its name resolves; each call from here ends in the handshake (runbook 000: look
at DNS, handshake and chain). The application, which has its own way to Stripe, goes on. The
certificate is real, and so is the front that shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab import background
from payops.lab.dependents import all_that_need_stripe
from payops.lab.keyfaults import exchange, put_right, quoted
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.tls_front import put_before

LASTS = timedelta(days=365)


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    began = datetime.now(UTC) - timedelta(days=1)
    url = put_before(lab, lab.info.stripe_url, began, began + LASTS)
    exchange(lab, quoted(lab.info.stripe_url), quoted(url))


def heal(lab: Lab) -> None:
    put_right(lab)
    background.end(lab)


SCENARIO = Scenario(
    title="Stripe's certificate does not verify here",
    runbook="000, network",
    breaks="what answers for Stripe shows a certificate that is signed by itself",
    expected={**all_that_need_stripe(), "stripe.tls": Status.CRIT},
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=heal,
    changes=frozenset({"configuration"}),
    holds=frozenset({"secret key"}),
    outside="trust the authority that the proxy signs with, or go round the proxy",
    # That page is of names and certificates alike, and its first question tells the two apart.
    told_as=frozenset({"network-dns-tls"}),
)
