"""Another team's endpoint takes nothing of Stripe's; ours has had every event.

Stripe tells of an event only that not every endpoint has accepted it, not which: the alert rings
here, while no payment waits (runbook 001, more than 10 failed webhooks in an hour).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.losing import Fate, find_again, keep, owe, recent, spread
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

SECOND = "we_1LabOfTheDataTeam000000"
# Of a network that is for documentation only (RFC 5737): nobody is there.
URL = "https://192.0.2.20/stripe"


def inject(lab: Lab, parameters: Parameters) -> None:
    ours = lab.endpoint
    events = spread(recent(lab), parameters["count"])
    keep(lab, events)
    lab.remember(second=SECOND)
    lab.stripe.put(
        f"/webhook_endpoints/{SECOND}",
        {
            "url": URL,
            "secret": f"{lab.info.second_webhook_secret}data",
            "enabled_events": ["*"],
            "livemode": ours["livemode"],
            "api_version": ours["api_version"],
        },
    )
    owe(lab, events, Fate(owed=True, error="timed out"), endpoints=(SECOND,))


def heal(lab: Lab) -> None:
    find_again(lab)
    if "second" in lab.recall():
        lab.stripe.put("/webhook_endpoints", {"remove": lab.recall()["second"]})


SCENARIO = Scenario(
    title="Another endpoint of the account takes no events",
    runbook="001, webhook failures",
    breaks="a second endpoint, which is not ours, has not accepted the last events",
    expected={"webhooks.backlog": Status.CRIT},
    inject=inject,
    heal=heal,
    holds=frozenset({"registration"}),
    parameters={"count": Parameter(12, 4, 300, "events; more than 3 are WARN, than 10 CRIT")},
    outside="bring the second endpoint back, or disable it at Stripe",
)
