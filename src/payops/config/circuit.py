"""`circuit:`: the breakers to read."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from payops.config.section import Duration, Section, named, span


class BreakerKeys(Section, frozen=True):
    """Redis keys of a breaker kept in separate keys."""

    state: Annotated[str, Meta(description="closed, open or half_open; absent is closed")]
    failures: Annotated[str, Meta(description="Count of failures")] = ""
    opened_at: Annotated[str, Meta(description="Epoch seconds, milliseconds or ISO time")] = ""
    last_failure: Annotated[str, Meta(description="A time likewise")] = ""


_SHORTEST_PREFIX = 4
_BY_KEYS = frozenset({"split", "django"})


class Breaker(Section, frozen=True):
    """A circuit breaker in Redis."""

    name: Annotated[str, Meta(description="How reports and commands call it")]
    layout: Annotated[
        Literal["split", "django", "pybreaker", "aiobreaker", "purgatory", "gobreaker", "document"],
        Meta(
            description="How it is stored: each value under a key of its own (split, or django: "
            "through Django's cache, pickled), as a library does, or one JSON text or hash"
        ),
    ] = "split"
    keys: Annotated[
        BreakerKeys | None, Meta(description="Of split and django: the key of each value")
    ] = None
    key: Annotated[str, Meta(description="Of document: its key; '' is circuit_breaker:NAME")] = ""
    stored_name: Annotated[
        str, Meta(description="Of a library: the name that it has there; '' is name")
    ] = ""
    namespace: Annotated[
        str, Meta(description="Of pybreaker, aiobreaker, gobreaker: what stands before their keys")
    ] = ""
    half_open: Annotated[
        Literal["stored", "computed"],
        Meta(
            description="computed: never stored, an open one lets calls through once recovery is "
            "over (DebtFlow)"
        ),
    ] = "stored"
    guards: Annotated[str, Meta(description="The dependency behind it, for the next command")] = (
        "stripe"
    )
    failure_threshold: Annotated[int, Meta(ge=1, description="Failures that open it")] = 5
    window: Annotated[Duration, Meta(description="Failures are counted over")] = span(60)
    recovery: Annotated[Duration, Meta(description="Half-open after")] = span(30)

    def __post_init__(self) -> None:
        super().__post_init__()
        named(self.name, "name")
        if (self.layout in _BY_KEYS) != (self.keys is not None):
            wanted = (
                "has keys" if self.layout in _BY_KEYS else "has no keys: the library names them"
            )
            raise ValueError(f".keys: the layout {self.layout} {wanted}")


class CircuitSettings(Section, frozen=True):
    """The breakers to read."""

    breakers: Annotated[tuple[Breaker, ...], Meta(description="Each under a name of its own")] = ()
    worker_life: Annotated[
        Duration,
        Meta(description="A request that is in progress for longer has lost its worker"),
    ] = span(600)
    in_progress: Annotated[
        tuple[str, ...],
        Meta(description="Values of an idempotency key whose request is not over: started, …"),
    ] = ()
    caches: Annotated[
        dict[str, str],
        Meta(
            description="name: SCAN pattern of keys that may go: `payops remedy plan clear-cache`"
        ),
    ] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [breaker.name for breaker in self.breakers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f".breakers: two are named {twice!r}")
        for name, pattern in self.caches.items():
            if len(pattern.split("*")[0]) < _SHORTEST_PREFIX:
                raise ValueError(
                    f".caches.{name}: {pattern!r} begins with fewer than {_SHORTEST_PREFIX} "
                    "characters of its own, and would clear what is no cache"
                )
