"""Which keys of payments lie in Redis, by the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.config.settings import Settings


@dataclass(frozen=True)
class KeyKind:
    """Keys of one purpose: `pattern` is for SCAN, `ttl` how many seconds one lives."""

    id: str
    title: str
    pattern: str
    ttl: float


def key_kinds(settings: Settings) -> tuple[KeyKind, ...]:
    """Idempotency keys, and the keys of events that were had; empty where none is configured."""
    found = []
    if one := settings.trace.idempotency:
        pattern = _escaped(one.key).replace("{key}", "*")
        found.append(KeyKind("idempotency", "idempotency keys", pattern, one.ttl))
    if dedupe := settings.webhooks.dedupe:
        pattern = _escaped(dedupe.key).replace("{event}", "*")
        found.append(KeyKind("dedupe", "keys of webhook events", pattern, dedupe.ttl))
    return tuple(found)


def _escaped(template: str) -> str:
    """A key's text as a glob that means itself."""
    return "".join(f"\\{c}" if c in "*?[]\\" else c for c in template)
