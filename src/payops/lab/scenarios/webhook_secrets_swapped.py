"""Two endpoints, and the application has the secret of each at the path of the other.

A second endpoint was made for refunds and disputes, and the two secrets went into the wrong
variables: both refuse every genuine delivery (400), each would accept what is signed for the other
(runbook 000, webhook signature; runbook 002, scenario B).
"""

from __future__ import annotations

import json
from pathlib import Path

from payops.errors import LabError
from payops.lab.losing import (
    STUCK_AND_OWED,
    Fate,
    break_webhook,
    find_again,
    mend_webhook,
    owe,
    recent,
    undelivered,
)
from payops.lab.scenario import Lab, Parameters, Scenario

SECOND = "we_1LabSecondEndpoint00000"
AFTERWARDS = ("charge.refunded", "charge.dispute.created", "refund.created", "refund.updated")


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    owed_to_both = [event for event in recent(lab) if event["type"] in AFTERWARDS]
    undelivered(lab, status=400)
    first = lab.endpoint
    lab.remember(second=SECOND, configuration=Path(lab.info.config).read_text(encoding="utf-8"))
    lab.stripe.put(
        f"/webhook_endpoints/{SECOND}",
        {
            "url": lab.info.second_webhook_endpoint,
            "secret": lab.info.second_webhook_secret,
            "enabled_events": list(AFTERWARDS),
            "livemode": first["livemode"],
            "api_version": first["api_version"],
        },
    )
    owe(lab, owed_to_both, Fate(owed=True, status=400), endpoints=(first["id"], SECOND))
    _configure(lab)
    break_webhook(lab, "swapped")


def _configure(lab: Lab) -> None:
    """Have payops know both endpoints, each with the secret that Stripe signs with."""
    url, secret = json.dumps(lab.info.webhook_endpoint), json.dumps(lab.info.webhook_secret)
    known = f"    - name: shop\n      url: {url}\n"
    path = Path(lab.info.config)
    text = path.read_text(encoding="utf-8")
    if known not in text:
        raise LabError(
            f"{path} is not as the lab wrote it", hint="payops lab down, then payops lab up"
        )
    second = (
        "    - name: refunds\n"
        f"      url: {json.dumps(lab.info.second_webhook_endpoint)}\n"
        f"      secret: {json.dumps(lab.info.second_webhook_secret)}\n"
    )
    path.write_text(text.replace(known, f"{known}      secret: {secret}\n{second}"), "utf-8")


def heal(lab: Lab) -> None:
    kept = lab.recall()
    find_again(lab)
    if "second" in kept:
        path = Path(lab.info.config)
        path.write_text(kept["configuration"], encoding="utf-8")
        lab.stripe.put("/webhook_endpoints", {"remove": kept["second"]})
    mend_webhook(lab)


SCENARIO = Scenario(
    title="Webhook signatures are refused: two secrets are swapped",
    runbook="000, webhook signature; 002, scenario B",
    breaks="two endpoints' signing secrets are exchanged in the application",
    expected=STUCK_AND_OWED,
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "ireti-pos", "v-edfinance"),
    causes=frozenset({"signature-refused"}),
    loses=True,
    holds=frozenset({"answer", "registration"}),
    outside="give each endpoint its own signing secret",
    # Only a signed probe (`webhooks probe --signed`) finds the path at which the other secret fits;
    # a diagnosis sends none.
    told_as=frozenset({"webhook-signature-mismatch"}),
)
