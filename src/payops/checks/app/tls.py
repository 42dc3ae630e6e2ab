"""Are the certificates of the application's addresses good, and for how long?

Stripe delivers to no endpoint whose certificate does not verify, and customers turn away. A chain
without its middle is the usual mistake: a browser fills it in, Stripe does not (runbook 000).
"""

from __future__ import annotations

from payops.checks.contract import Check, Context
from payops.checks.hosts import (
    TLS_LIMITS,
    Certificates,
    application_urls,
    certificates,
    hosts_of,
    judge_certificates,
)
from payops.errors import NotConfiguredError


def gather(ctx: Context) -> Certificates:
    hosts = hosts_of(application_urls(ctx))
    if not hosts:
        raise NotConfiguredError("no address of the application is configured (app.base_url)")
    return certificates(ctx, hosts)


CHECK = Check(
    title="The application's certificates are good",
    source="http",
    gather=gather,
    judge=judge_certificates,
    limits=TLS_LIMITS,
    rows=("S0-26", "S1-21"),
)
