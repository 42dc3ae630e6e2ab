"""What a remedy written in code offers. Applying is not its business: a change is applied by
payops' own compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from payops.domain.plan import Change

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources.redis_writer import RedisWriter
    from payops.sources.remedy_rows import RemedyRows

Make = Callable[["Settings", "RemedyRows", Mapping[str, str]], Sequence[Change]]
Absent = Callable[["Settings"], str]
MakeOfRedis = Callable[["Settings", "RedisWriter", Mapping[str, str]], Sequence[Change]]


@dataclass(frozen=True)
class CodeRemedy:
    """`make(settings, rows, params)` gives the changes of the database, each without its
    `statement`; `make_redis(settings, redis, params)` those of Redis, whole. A remedy has one of
    the two. `params` are the names that `--set` may give, with their defaults. `source` is the
    runbook's line. `absent(settings)` says why a system has nothing that it could change: empty
    where it has."""

    title: str
    why: str
    make: Make | None = None
    make_redis: MakeOfRedis | None = None
    risk: str = ""
    max_changes: int = 100
    params: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    absent: Absent = lambda _settings: ""
