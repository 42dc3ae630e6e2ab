"""Events that Stripe delivered twice were handled twice.

Stripe may send an event more than once. A migration took away what kept the log to one row an
event, and a release the keys in Redis by which duplicates are known: each delivery is a row of its
own, `processed`. This shop's ledger bears it; one that ships goods, or sends mails, does not
(runbook 000, duplicate events; runbook 004, idempotency).
"""

from __future__ import annotations

from payops.lab.losing import break_webhook
from payops.lab.repeating import heal_repeated, repeat
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario


def inject(lab: Lab, parameters: Parameters) -> None:
    repeat(lab, parameters["times"])
    break_webhook(lab, "no_dedupe")


SCENARIO = Scenario(
    title="Events are handled twice",
    runbook="000, duplicate events; 004, idempotency",
    breaks="the shop does not know an event again that it has had, and handles it a second time",
    expected={},
    inject=inject,
    heal=heal_repeated,
    # Ireti counts no attempts and keeps its one row; the others have no log to show it.
    causes=frozenset({"processed-twice"}),
    holds=frozenset({"handler"}),
    parameters={"times": Parameter(1, 1, 20, "how often each event was handled again")},
    severe={"times": 4},
    # Three times or more is what neither Stripe nor a second worker does.
    told_as=frozenset({"webhook-replay-attack"}),
    outside="put back the release that knows events again",
)
