"""Are the certificates of the application's addresses good, and for how long?

Stripe delivers to no endpoint whose certificate does not verify, and customers turn away. A chain
without its middle is the usual mistake: a browser fills it in, Stripe does not (runbook 000).
"""

from __future__ import annotations

from dataclasses import replace

from payops.checks.contract import Check, Context
from payops.checks.hosts import (
    TLS_LIMITS,
    Certificates,
    application_urls,
    certificates,
    hosts_of,
    judge_certificates,
)
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits
from payops.errors import Failure, NotConfiguredError


def gather(ctx: Context) -> Certificates:
    hosts = hosts_of(application_urls(ctx))
    if not hosts:
        raise NotConfiguredError("no address of the application is configured (app.base_url)")
    found = certificates(ctx, hosts)
    # A name that does not resolve is told by `app.dns`.
    named = tuple(
        one for one in found.seen if not one.failure or one.failure.kind is not Failure.DNS
    )
    return replace(found, seen=named, unnamed=len(found.seen) - len(named))


def judge(facts: Certificates, limits: Limits) -> CheckResult:
    return judge_certificates(facts, limits)


CHECK = Check(
    title="The application's certificates are good",
    source="http",
    gather=gather,
    judge=judge,
    limits=TLS_LIMITS,
    rows=("S0-26", "S1-21"),
)
