"""How a trace asks: within a budget of requests, and past what does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from payops.domain.timeline import Clock
from payops.errors import Failure, NotConfiguredError, SourceError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources import Sources
    from payops.sources.stripe import Answer

T = TypeVar("T")

# One payment costs so many requests at most, those that are repeated too: never a burden beside
# live payments.
MOST_CALLS = 12


@dataclass(frozen=True)
class Unseen:
    """What could not be seen, and why. `error` is None where the budget ended."""

    source: str
    what: str
    why: str
    hint: str = ""
    error: SourceError | None = None


@dataclass
class Reach:
    """What a trace may ask. One for all the payments of a run: clocks, endpoints and what is down
    are found out once; `unseen` and the budget are each payment's own (`begin`)."""

    settings: Settings
    sources: Sources
    now: datetime
    livemode: bool | None = None
    down: dict[str, SourceError] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
    clocks: dict[str, Clock] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    calls_left: int = MOST_CALLS
    _unseen: list[Unseen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Another payment: a budget of its own, nothing unseen but what is down."""
        self.calls_left = MOST_CALLS
        self._unseen = []

    def ask(self, source: str, what: str, call: Callable[[], T]) -> T | None:
        """The answer of one question, or None: what went wrong is noted. NOT_FOUND is raised, since
        that is an answer."""
        if source in self.unused:
            return None
        if source in self.down:
            self.note(Unseen(source, what, self.down[source].kind.value, error=self.down[source]))
            return None
        try:
            return call()
        except NotConfiguredError:
            with self._lock:
                self.unused.add(source)
        except SourceError as error:
            if error.kind is Failure.NOT_FOUND:
                raise
            if error.does_not_answer:
                with self._lock:
                    self.down.setdefault(source, error)
            self.note(Unseen(source, what, error.told, error.hint, error))
        return None

    def stripe(self, what: str, path: str, into: type[T], **params: Any) -> T | None:
        """One answer of Stripe's, if the budget has any left. Raises SourceError NOT_FOUND.

        The budget is of requests that are sent: a 429 or a lost connection that is tried again
        costs as much as a question.
        """
        if self.calls_left <= 0 and self.sees("stripe"):
            why = f"not asked for: the {MOST_CALLS} requests that a payment may cost are used up"
            self.note(Unseen("stripe", what, why))
            return None

        def call() -> T:
            asked = datetime.now(UTC)
            stripe = self.sources.stripe
            before = stripe.calls
            try:
                answer: Answer[T] = stripe.get(path, into, tries=self.calls_left, **params)
            finally:
                self.calls_left -= stripe.calls - before
            self._hear(answer.date, asked)
            return answer.value

        return self.ask("stripe", what, call)

    def note(self, unseen: Unseen) -> None:
        """Say once what could not be seen."""
        with self._lock:
            if all((u.source, u.what) != (unseen.source, unseen.what) for u in self._unseen):
                self._unseen.append(unseen)

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """What could not be seen, by source and question."""
        return tuple(sorted(self._unseen, key=lambda one: (one.source, one.what)))

    def sees(self, source: str) -> bool:
        """Whether the source is configured and has not failed."""
        return source not in self.unused and source not in self.down

    def _hear(self, told: datetime | None, asked: datetime) -> None:
        """Of several answers the most exact: each narrows the offset down."""
        if told is None:
            return
        answered = datetime.now(UTC)
        clock = Clock.between("stripe", told, asked, answered, step_s=1.0)
        known = self.clocks.get("stripe")
        if known is None or clock.within_s < known.within_s:
            self.clocks["stripe"] = clock

    def measure(self) -> None:
        """The clocks of Postgres and Redis against ours; Stripe's is heard with its answers."""

        def postgres() -> Clock:
            asked = datetime.now(UTC)
            told = self.sources.postgres.told("clock", _Nothing).now
            return Clock.between("postgres", told, asked, datetime.now(UTC))

        def redis() -> Clock:
            self.sources.redis.ttls(["payops:no-such-key"])  # connects: its time is no latency
            asked = datetime.now(UTC)
            told = self.sources.redis.now()
            return Clock.between("redis", told, asked, datetime.now(UTC))

        for source, call in (("postgres", postgres), ("redis", redis)):
            clock = self.ask(source, "its clock", call)
            if clock is not None:
                self.clocks[source] = clock


@dataclass(frozen=True)
class _Nothing:
    one: int
