"""This machine cannot look up names any more; or, with `tls=1`, a proxy breaks its TLS.

The resolver is dead: Stripe, its status page and the shop's own hosts have no address, though all
of them are up (runbook 000, network and connectivity; runbook 004, scenario 1). With `tls=1` names
resolve, and what answers on Stripe's port speaks no TLS. Only where payops looks from is struck:
the application's own payments go on.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.dependents import all_that_need_stripe
from payops.lab.keyfaults import exchange, put_right, quoted
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario

# .invalid never resolves (RFC 2606).
NAMES = {
    "stripe_url": "https://api.stripe.invalid",
    "status_url": "https://status.stripe.invalid/current",
    "webhook_endpoint": "https://hooks.shop.invalid/webhooks/stripe",
}


def inject(lab: Lab, parameters: Parameters) -> None:
    if parameters["tls"]:
        secure = lab.info.stripe_url.replace("http://", "https://", 1)
        exchange(lab, quoted(lab.info.stripe_url), quoted(secure))
        return
    for name, lost in NAMES.items():
        exchange(lab, quoted(getattr(lab.info, name)), quoted(lost))


def heal(lab: Lab) -> None:
    put_right(lab)


SCENARIO = Scenario(
    title="Names do not resolve",
    runbook="000, network and connectivity; 004, scenario 1",
    breaks="no name of Stripe's or of the shop's endpoint has an address here",
    expected={
        **all_that_need_stripe(),
        "stripe.tls": Status.CRIT,
        "stripe.status-page": Status.UNKNOWN,
        "app.dns": Status.CRIT,
    },
    keys=frozenset({"keys.secret"}),
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    silences="stripe",
    changes=frozenset({"configuration"}),
    holds=frozenset({"addresses"}),
    parameters={"tls": Parameter(0, 0, 1, "1: names resolve, and TLS to Stripe fails")},
    mild={"tls": 1},
    differs={"mild": {"app.dns": Status.OK, "stripe.status-page": Status.OK}},
    outside="put the resolver (or the proxy that breaks TLS) right",
)
