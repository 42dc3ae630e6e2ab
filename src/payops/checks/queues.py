"""What the checks of queues share: the queues as they are, asked once a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.status import Status
from payops.errors import NotConfiguredError

if TYPE_CHECKING:
    from payops.checks.contract import Context
    from payops.sources.queues import QueueState


@dataclass(frozen=True)
class Limit:
    """A queue's own limits, where the configuration gives any."""

    most: int | None = None
    age: float | None = None


@dataclass(frozen=True)
class Facts:
    """Every queue, with its own limits by name; `cli` asks the main Redis."""

    as_of: datetime
    queues: tuple[QueueState, ...]
    own: dict[str, Limit]
    cli: str = "redis-cli"


def gather(ctx: Context) -> Facts:
    """Raises NotConfiguredError without `queues:`, SourceError."""
    from payops.sources.queues import states

    configured = ctx.settings.queues
    if not configured:
        raise NotConfiguredError(
            "no queue is configured", hint="name yours under queues: in the configuration"
        )
    asked = [(name, queue, ctx.sources.redis_of(queue)) for name, queue in configured.items()]
    found, now = asked[0][2].once("queues", lambda: states(asked))
    return Facts(
        as_of=now,
        queues=tuple(found),
        own={name: Limit(queue.most, queue.age) for name, queue in configured.items()},
        cli=asked[0][2].cli,
    )


def unreadable(facts: Facts) -> tuple[Status, str] | None:
    """UNKNOWN and why, when the key of a queue is none; None when all can be read."""
    broken = [one for one in facts.queues if one.problem]
    if not broken:
        return None
    return Status.UNKNOWN, "; ".join(f"queue {one.name}: {one.problem}" for one in broken[:3])
