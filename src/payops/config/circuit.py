"""`circuit:`: the breakers to read."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from payops.config.section import Duration, Section, span


class BreakerKeys(Section, frozen=True):
    """Redis keys of a breaker kept in separate keys."""

    state: Annotated[str, Meta(description="closed, open or half_open; absent is closed")]
    failures: Annotated[str, Meta(description="Count of failures")] = ""
    opened_at: Annotated[str, Meta(description="Epoch seconds, milliseconds or ISO time")] = ""
    last_failure: Annotated[str, Meta(description="A time likewise")] = ""


class Breaker(Section, frozen=True):
    """A circuit breaker in Redis."""

    name: Annotated[str, Meta(description="How reports and commands call it")]
    keys: BreakerKeys
    layout: Annotated[
        Literal["split"], Meta(description="How it is stored: each value under a key of its own")
    ] = "split"
    guards: Annotated[str, Meta(description="The dependency behind it, for the next command")] = (
        "stripe"
    )
    failure_threshold: Annotated[int, Meta(ge=1, description="Failures that open it")] = 5
    window: Annotated[Duration, Meta(description="Failures are counted over")] = span(60)
    recovery: Annotated[Duration, Meta(description="Half-open after")] = span(30)


class CircuitSettings(Section, frozen=True):
    """The breakers to read."""

    breakers: Annotated[tuple[Breaker, ...], Meta(description="Each under a name of its own")] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [breaker.name for breaker in self.breakers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f".breakers: two are named {twice!r}")
