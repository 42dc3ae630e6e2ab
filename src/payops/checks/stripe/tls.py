"""Does Stripe's name resolve, and does its certificate verify here?

Runbook 000 looks by hand: DNS, handshake, chain, protocol. What breaks is on our side: a resolver,
a proxy that opens TLS with a certificate of its own, a machine without current root certificates.
"""

from __future__ import annotations

from payops.checks.contract import Check, Context
from payops.checks.hosts import (
    TLS_LIMITS,
    Certificates,
    certificates,
    hosts_of,
    judge_certificates,
)
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError


def gather(ctx: Context) -> Certificates:
    if ctx.settings.stripe is None:
        raise NotConfiguredError("stripe is not configured")
    base = ctx.settings.stripe.api_base
    hosts = hosts_of([base])
    if not any(host.https for host in hosts):
        raise NotConfiguredError("stripe.api_base is not asked over https: a simulator")
    if ctx.sources.http.proxied(base):
        raise NotConfiguredError("Stripe is asked through a proxy: its certificate is not seen")
    return certificates(ctx, hosts)


def judge(facts: Certificates, limits: Limits) -> CheckResult:
    return judge_certificates(facts, limits)


CHECK = Check(
    title="Stripe's name resolves, its certificate verifies",
    source="http",
    gather=gather,
    judge=judge,
    limits=TLS_LIMITS,
    rows=("S0-12", "S0-19", "S0-20", "S0-21", "S0-22", "S0-23"),
    when_down=(
        Action("Compare with another machine and network: resolver, proxy, root certificates"),
    ),
)
