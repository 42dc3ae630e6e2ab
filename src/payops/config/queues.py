"""`queues:`: work that waits in Redis for a worker."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from payops.config.section import Duration, Section
from payops.domain.secret import Secret


class Queue(Section, frozen=True):
    """A queue in Redis, as the library that keeps it lays it out."""

    kind: Annotated[
        Literal["celery", "rq", "sidekiq", "bullmq", "list"],
        Meta(description="The library that keeps it; list is any Redis list"),
    ]
    key: Annotated[
        str, Meta(description="The library's name of it, of list the Redis key; '' is the name")
    ] = ""
    prefix: Annotated[
        str,
        Meta(description="What stands before the library's keys; bull: and rq: are known"),
    ] = ""
    database: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Redis database, where it is not redis.url's"),
    ] = None
    url: Annotated[Secret | None, Meta(description="Of a Redis of its own, where it has one")] = (
        None
    )
    most: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="WARN when more wait, CRIT at ten times; null: as of the check"),
    ] = None
    age: Annotated[
        Duration | None, Meta(description="WARN when the oldest waits longer, CRIT at six times")
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url is not None and self.database is not None:
            raise ValueError(".database: stands in the url already")
