"""Somebody sends deliveries again that Stripe once signed, and the shop takes them.

A release took away two guards: the age of a signature is not looked at, so that a delivery which
was overheard is good for ever, and an event that was had is not known again. The log has rows of
the same events that arrived many times (runbook 001, security; runbook 000, duplicate events). A
probe sends an old delivery and sees it accepted.
"""

from __future__ import annotations

from payops.lab.losing import break_webhook
from payops.lab.repeating import heal_repeated, repeat
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    repeat(lab, parameters["times"], at_most=parameters["count"])
    break_webhook(lab, "no_dedupe")
    break_webhook(lab, "any_age")


SCENARIO = Scenario(
    title="Old deliveries are sent again, and accepted",
    runbook="001, security; 000, duplicate events",
    breaks="the shop takes deliveries whose signature is old, and events that it has had",
    expected={},
    inject=inject,
    heal=heal_repeated,
    causes=frozenset({"processed-twice"}),
    holds=frozenset({"handler", "answer"}),
    parameters={
        "count": Parameter(8, 1, 200, "how many events were sent again, at most"),
        "times": Parameter(5, 1, 50, "how often each of them"),
    },
    mild={"count": 2, "times": 2},
    severe={"count": 30, "times": 20},
    outside="put back the release that checks signatures' age and knows events again",
    # Who sent a delivery again the log does not say; that a signature's age is not looked at only
    # `webhooks probe --signed` sees, and a diagnosis sends none.
    told_as=frozenset({"webhook-processed-twice"}),
)
