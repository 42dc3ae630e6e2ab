"""Redis may throw payment keys away: it was set up as a cache.

An idempotency key that is evicted before its 24 h are over lets a retry charge the customer twice
(runbook 004: keys live 24 h in Redis). Nothing was evicted yet; memory only has to run out.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.scenario import Lab, Parameters, Scenario

_SETTINGS = ("maxmemory", "maxmemory-policy")
_LIMIT = 256 * 1024 * 1024  # far from what is used, so that the lab loses nothing


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(before={name: lab.redis.config_get(name)[name] for name in _SETTINGS})
    lab.redis.config_set("maxmemory-policy", "allkeys-lru")
    lab.redis.config_set("maxmemory", _LIMIT)


def heal(lab: Lab) -> None:
    for name, value in lab.recall().get("before", {}).items():
        lab.redis.config_set(name, value)


SCENARIO = Scenario(
    title="Redis may evict payment keys",
    runbook="004, idempotency keys",
    breaks="Redis has a limit of memory and the policy allkeys-lru",
    expected={"redis.eviction": Status.WARN},
    inject=inject,
    heal=heal,
    holds=frozenset({"memory of redis"}),
    presets=("reference", "debtflow"),  # the others keep no key of payments in Redis
    outside="set Redis' maxmemory-policy to noeviction",
)
