"""Queues in Redis: how much waits, since when, and what workers have taken and not finished.

Only counts and times are read; what a job is about stays where it is. Layouts as of kombu 5
(Celery), RQ 2, Sidekiq 8 and BullMQ 5.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from payops.config.queues import Queue
    from payops.sources.redis import RedisSource

_Command: TypeAlias = tuple[str | int, ...]
# kombu keeps each priority in a list of its own; 0, the default, has no suffix.
_PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")


@dataclass(frozen=True)
class QueueState:
    """One queue. `waiting` is for a worker, `oldest_s` how long the oldest has waited (None: the
    library does not say). `taken` were taken by a worker and are not finished, the oldest
    `taken_s` ago; of Celery by all queues of that Redis database together. `delayed` and `failed`
    lie apart. `problem` is what is wrong with the key itself: no list, no permission.
    """

    name: str
    kind: str
    key: str
    waiting: int = 0
    oldest_s: float | None = None
    taken: int | None = None
    taken_s: float | None = None
    delayed: int | None = None
    failed: int | None = None
    paused: bool = False
    problem: str = ""


@dataclass(frozen=True)
class _Layout:
    """The commands that a library's layout needs, by what they tell."""

    lists: tuple[str, ...]
    commands: Mapping[str, _Command]


def _layout(queue: Queue, name: str) -> _Layout:
    key, prefix = queue.key or name, queue.prefix
    match queue.kind:
        case "celery":
            return _Layout(
                tuple(f"{prefix}{key}{suffix}" for suffix in _PRIORITIES),
                {
                    "taken": ("HLEN", f"{prefix}unacked"),
                    "first_taken": ("ZRANGE", f"{prefix}unacked_index", 0, 0, "WITHSCORES"),
                },
            )
        case "rq":
            before = prefix or "rq:"
            return _Layout(
                (f"{before}queue:{key}",),
                {
                    "oldest": ("LINDEX", f"{before}queue:{key}", 0),
                    "taken": ("ZCARD", f"{before}wip:{key}"),
                    "delayed": ("ZCARD", f"{before}scheduled:{key}"),
                    "failed": ("ZCARD", f"{before}failed:{key}"),
                },
            )
        case "sidekiq":
            return _Layout(
                (f"{prefix}queue:{key}",),
                {
                    "oldest": ("LINDEX", f"{prefix}queue:{key}", -1),
                    "delayed": ("ZCARD", f"{prefix}retry"),
                    "failed": ("ZCARD", f"{prefix}dead"),
                },
            )
        case "bullmq":
            base = f"{prefix or 'bull:'}{key}"
            return _Layout(
                (f"{base}:wait", f"{base}:paused"),
                {
                    "prioritized": ("ZCARD", f"{base}:prioritized"),
                    "oldest": ("LINDEX", f"{base}:wait", -1),
                    "taken": ("LLEN", f"{base}:active"),
                    "first_taken": ("LINDEX", f"{base}:active", -1),
                    "delayed": ("ZCARD", f"{base}:delayed"),
                    "failed": ("ZCARD", f"{base}:failed"),
                    "paused": ("HEXISTS", f"{base}:meta", "paused"),
                },
            )
        case _:
            return _Layout((key,), {})


def states(asked: Sequence[tuple[str, Queue, RedisSource]]) -> tuple[list[QueueState], datetime]:
    """Each queue by its name, from the Redis that it lies in; and the clock of the last one.

    Raises SourceError when one of them does not answer.
    """
    found = []
    now = datetime.now(UTC)
    for name, queue, source in asked:
        layout = _layout(queue, name)
        commands = [("LLEN", key) for key in layout.lists] + [*layout.commands.values()]
        answers = source.several([*commands, ("TIME",)])
        now = _clock(answers.pop())
        lengths = answers[: len(layout.lists)]
        told = dict(zip(layout.commands, answers[len(layout.lists) :], strict=True))
        broken = next((one for one in answers if isinstance(one, Exception)), None)
        if broken is not None:
            problem = _problem(broken)
            found.append(QueueState(name, queue.kind, layout.lists[0], problem=problem))
            continue
        found.append(_state(name, queue, layout.lists[0], sum(lengths), told, now, source))
    return found, now


def _state(
    name: str,
    queue: Queue,
    key: str,
    waiting: int,
    told: Mapping[str, Any],
    now: datetime,
    source: RedisSource,
) -> QueueState:
    since: float | None = None
    taken_since: float | None = None
    match queue.kind:
        case "celery":
            pair = told["first_taken"]
            taken_since = _number(pair[1]) if len(pair) > 1 else None
        case "rq":
            since = _field(source, f"{queue.prefix or 'rq:'}job:", told["oldest"], "enqueued_at")
        case "sidekiq":
            since = _enqueued(told["oldest"])
        case "bullmq":
            base = f"{queue.prefix or 'bull:'}{queue.key or name}:"
            since = _field(source, base, told["oldest"], "timestamp")
            taken_since = _field(source, base, told["first_taken"], "processedOn")
    return QueueState(
        name=name,
        kind=queue.kind,
        key=key,
        waiting=waiting + int(told.get("prioritized", 0)),
        oldest_s=_age(since, now),
        taken=int(told["taken"]) if "taken" in told else None,
        taken_s=_age(taken_since, now),
        delayed=int(told["delayed"]) if "delayed" in told else None,
        failed=int(told["failed"]) if "failed" in told else None,
        paused=bool(told.get("paused")),
    )


def _field(source: RedisSource, base: str, job: Any, field: str) -> float | None:
    """A job's time, from its hash."""
    if not isinstance(job, bytes) or len(job) > 200:
        return None
    (answer,) = source.several([("HGET", f"{base}{job.decode('utf-8', 'replace')}", field)])
    return _moment(answer)


def _enqueued(job: Any) -> float | None:
    """`enqueued_at` of a Sidekiq job."""
    try:
        found = json.loads(job) if isinstance(job, bytes) else None
    except (ValueError, RecursionError):
        return None
    return _moment(found.get("enqueued_at")) if isinstance(found, dict) else None


def _moment(value: Any) -> float | None:
    """Seconds since 1970: from seconds, milliseconds (BullMQ, Sidekiq 8) or an ISO time (RQ)."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    number = _number(text)
    if number is not None:
        return number / 1000 if number > 1e11 else number
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _age(since: float | None, now: datetime) -> float | None:
    return None if since is None else max(0.0, now.timestamp() - since)


def _clock(answer: Any) -> datetime:
    """The server's clock; ours where it may not be asked."""
    if isinstance(answer, Exception):
        return datetime.now(UTC)
    return datetime.fromtimestamp(int(answer[0]) + int(answer[1]) / 1e6, UTC)


def _problem(error: Exception) -> str:
    said = str(error)
    if "WRONGTYPE" in said or "wrong kind" in said:
        return "the key holds something else than a queue of this kind"
    return "it may not be read by this user" if "NOPERM" in said or "permission" in said else said
