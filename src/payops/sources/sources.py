"""The sources of one run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.once import Once

if TYPE_CHECKING:
    from payops.config.queues import Queue
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.secret import Secret
    from payops.sources.allowance import Allowance
    from payops.sources.http import HttpSource
    from payops.sources.postgres import PostgresSource
    from payops.sources.redis import RedisSource
    from payops.sources.stripe import StripeSource
    from payops.sources.stripe_pages import StripePages


class _Closes(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=_Closes)


class Sources:
    """Makes each source once, when it is first asked for; safe to share between threads.

    Making a source imports its library but connects to nothing. `deadline` is the run's: no call
    of any source outlives it.
    """

    def __init__(
        self, settings: Settings, deadline: Deadline, allowance: Allowance | None = None
    ) -> None:
        self.settings = settings
        self.deadline = deadline
        self._allowance = allowance
        self._pages: list[StripePages] = []
        self.once = Once()
        """What several checks of the run need is asked under one key, and shared."""
        self._made: dict[str, _Closes] = {}
        self._with_key: list[StripeSource] = []
        self._of_queues: dict[str, RedisSource] = {}
        # One lock a source: importing psycopg does not hold up the check that wants Redis.
        self._locks = {name: threading.Lock() for name in ("stripe", "postgres", "redis", "http")}

    @property
    def stripe(self) -> StripeSource:
        """Stripe's API. Raises NotConfiguredError without a `stripe:` section."""

        def make() -> StripeSource:
            if self.settings.stripe is None:
                raise _not_configured("stripe", "secret_key")
            from payops.sources.stripe import StripeSource

            return StripeSource(self.settings.stripe, self.deadline, self._allowance)

        return self._once("stripe", make)

    def stripe_pages(self, deadline: Deadline | None = None) -> StripePages:
        """Whole lists of Stripe's, in one pace with the others of this run; to be closed by who
        asks for it. Raises NotConfiguredError without a `stripe:` section."""
        if self.settings.stripe is None:
            raise _not_configured("stripe", "secret_key")
        from payops.sources.stripe_pages import StripePages

        with self._locks["stripe"]:
            pace = self._pages[0].pace if self._pages else None
            made = StripePages(
                self.settings.stripe, pace=pace, deadline=deadline, allowance=self._allowance
            )
            self._pages.append(made)
        return made

    def stripe_with(self, key: Secret) -> StripeSource:
        """Stripe's API as another key sees it, otherwise as configured; its requests count too.

        Raises NotConfiguredError without a `stripe:` section, SourceError for a key that cannot
        be sent, or not to this address.
        """
        if self.settings.stripe is None:
            raise _not_configured("stripe", "secret_key")
        from msgspec.structs import replace

        from payops.sources.stripe import StripeSource

        try:
            changed = replace(self.settings.stripe, secret_key=key)
        except ValueError as error:  # a live key, and an address over http
            raise SourceError("stripe", Failure.REJECTED, str(error).lstrip(".")) from None
        source = StripeSource(changed, self.deadline, self._allowance)
        self._with_key.append(source)
        return source

    @property
    def postgres(self) -> PostgresSource:
        """The database. Raises NotConfiguredError without a `postgres:` section."""

        def make() -> PostgresSource:
            if self.settings.postgres is None:
                raise _not_configured("postgres", "dsn")
            from payops.sources.postgres import PostgresSource

            return PostgresSource(self.settings.postgres, self.deadline)

        return self._once("postgres", make)

    @property
    def redis(self) -> RedisSource:
        """Redis. Raises NotConfiguredError without a `redis:` section."""

        def make() -> RedisSource:
            if self.settings.redis is None:
                raise _not_configured("redis", "url")
            from payops.sources.redis import RedisSource

            return RedisSource(self.settings.redis, self.deadline)

        return self._once("redis", make)

    def redis_of(self, queue: Queue) -> RedisSource:
        """The Redis that a queue lies in: `redis:`, another database of it, or one of its own.

        Raises NotConfiguredError without any, SourceError for an address that cannot be read.
        """
        if queue.url is None and queue.database is None:
            return self.redis
        from msgspec.structs import replace

        from payops.config.sources import RedisSettings
        from payops.sources.redis import RedisSource
        from payops.sources.redis_errors import in_database

        if queue.url is not None:
            settings = RedisSettings(url=queue.url)
        elif self.settings.redis is not None:
            own = self.settings.redis
            settings = replace(own, url=in_database(own.url, queue.database or 0))
        else:
            raise _not_configured("redis", "url")
        address = settings.url.reveal()
        with self._locks["redis"]:
            if address not in self._of_queues:
                self._of_queues[address] = RedisSource(settings, self.deadline)
            return self._of_queues[address]

    @property
    def http(self) -> HttpSource:
        """Plain HTTP and TLS probes: the application, its webhook endpoints, the status page."""

        def make() -> HttpSource:
            from payops.sources.http import HttpSource

            return HttpSource(self.deadline)

        return self._once("http", make)

    def stripe_calls(self) -> int:
        """Requests sent to Stripe so far; 0, and nothing is made, when none was."""
        made = self._made.get("stripe")
        own = cast("StripeSource", made).calls if made is not None else 0
        return own + sum(source.calls for source in self._with_key)

    def every_stripe_call(self) -> int:
        """As `stripe_calls`, with those for pages of lists, which their reader counts itself."""
        return self.stripe_calls() + sum(pages.calls for pages in self._pages)

    def close(self) -> None:
        """Close what was opened. Quick: says goodbye to no server that does not answer."""
        for source in [*self._made.values(), *self._with_key, *self._of_queues.values()]:
            with suppress(OSError):
                source.close()
        self._made.clear()

    def _once(self, name: str, make: Callable[[], S]) -> S:
        with self._locks[name]:
            if name not in self._made:
                self._made[name] = make()
            return cast(S, self._made[name])


@contextmanager
def borrowed(given: Sources | None, settings: Settings, deadline: Deadline) -> Iterator[Sources]:
    """`given`, which its owner closes, or sources of one's own."""
    if given is not None:
        yield given
        return
    own = Sources(settings, deadline)
    try:
        yield own
    finally:
        own.close()


def _not_configured(section: str, key: str) -> NotConfiguredError:
    return NotConfiguredError(
        f"{section} is not configured",
        hint=f"add {section}.{key} to the configuration, or leave its checks out",
    )
