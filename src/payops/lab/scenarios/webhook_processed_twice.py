"""Events that Stripe delivered twice were handled twice.

Stripe may send an event more than once. Since a release the shop no longer looks whether it had
one: the log counts two attempts at an event that was `processed` at the first, and the keys in
Redis by which duplicates are known are not there. This shop's ledger bears it; one that ships
goods, or sends mails, does not (runbook 000, duplicate events; runbook 004, idempotency).
"""

from __future__ import annotations

import time

from payops.lab.losing import Fate, break_webhook, heal, lose, recent
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.shop import mapping

# The second delivery came so many seconds after the first was handled.
_AFTER_S = 20


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    until = time.time() - _AFTER_S - 10
    twice = [event for event in recent(lab, [lab.system.success]) if event["created"] < until]
    lose(lab, twice, Fate(logged={"attempts": 2}, moved=True))
    log = mapping(lab).event_log
    if log is not None:
        lab.postgres.execute(
            "UPDATE webhook_events SET processed_at = processed_at + make_interval(secs => %s) "
            "WHERE event_id = ANY(%s)",
            (_AFTER_S, [event["id"] for event in twice]),
        )
    break_webhook(lab, "no_dedupe")


SCENARIO = Scenario(
    title="Events are handled twice",
    runbook="000, duplicate events; 004, idempotency",
    breaks="the shop does not know an event again that it has had, and handles it a second time",
    expected={},
    inject=inject,
    heal=heal,
    # In the others neither the log nor Redis tells how often an event was handled.
    causes=frozenset({"processed-twice"}),
    holds=frozenset({"handler"}),
)
