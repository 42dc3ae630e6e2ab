"""Keys by which events are known again have lost their end: they stay for ever.

A version of the application set them without a TTL. Memory fills up, and whoever comes with the
same key next month gets last month's answer (runbook 004: keys live for 24 h).
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import put_back_strings, strings_with_expiry


def inject(lab: Lab, parameters: Parameters) -> None:
    pattern = lab.system.dedupe.format(event="*")
    ending = sorted(key for key in lab.redis.scan_iter(pattern) if lab.redis.pttl(key) > 0)
    if not ending:
        raise LabError("the lab has no keys of events", hint="start one with more payments")
    chosen = ending[: parameters["count"]]
    lab.remember(strings=strings_with_expiry(lab, chosen))
    for key in chosen:
        lab.redis.persist(key)


def heal(lab: Lab) -> None:
    put_back_strings(lab, lab.recall().get("strings", {}))


SCENARIO = Scenario(
    title="Keys of payments never end",
    runbook="004, idempotency keys",
    breaks="keys of events in Redis have no TTL any more",
    expected={"redis.keys": Status.WARN},
    inject=inject,
    heal=heal,
    parameters={"count": Parameter(20, 1, 1_000, "how many keys; any is WARN")},
    outside="have the application set keys with a life",
)
