"""What else of payments lies in Redis: idempotency keys, events that were had, caches."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.checks.payment_keys import key_kinds
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.payment import PaymentStatus
from payops.domain.pickled import is_pickle, read_scalar
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.secret import redact
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.domain.text import shortened
from payops.errors import SourceError
from payops.sources import Sources
from payops.sources.lookup import NamedRow, rows_named

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline

# Keys of one kind that are counted, and of which the lives are read; more are told as 'or more'.
_MOST, _SAMPLE = 50_000, 1_000
# Of these the values are read: a request in progress is a young key, and few are.
_VALUES = 500
_LONGEST = 400
_TITLES = {"idempotency": "Idempotency keys", "dedupe": "Webhook events that were had"}
_ROWS = ("S4-22", "S4-23")


@dataclass(frozen=True)
class Kind:
    """Keys of one purpose. `ttl` is how long one lives, None where that is not said."""

    id: str
    title: str
    pattern: str
    ttl: float | None = None


def kinds(settings: Settings) -> tuple[Kind, ...]:
    """Those that the configuration names."""
    found = [Kind(one.id, _TITLES[one.id], one.pattern, one.ttl) for one in key_kinds(settings)]
    for name, pattern in settings.circuit.caches.items():
        found.append(Kind(f"cache-{name}", f"Cache {name}", pattern))
    return tuple(found)


def overview(settings: Settings, deadline: Deadline) -> Report:
    """Count them, and look at their lives; a Redis that does not answer is a finding."""
    started = time.monotonic()
    now = datetime.now(UTC)
    sources = Sources(settings, deadline.sooner(0.1, at_most=0.5))
    try:
        wanted = kinds(settings)
        told = [_told(settings, sources, kind) for kind in wanted]
        checks = tuple(check for check, _ in told)
        if not wanted:
            nothing = "no keys of payments in Redis are configured (trace.idempotency, "
            nothing += "webhooks.dedupe, circuit.caches)"
            checks = (CheckResult(Status.SKIP, nothing, "redis", now, id="redis.keys"),)
        return Report(
            command="circuit keys",
            generated_at=now,
            environment=settings.environment,
            checks=checks,
            duration_ms=round((time.monotonic() - started) * 1000),
            tables=(_table([row for _, row in told if row]),) if wanted else (),
        )
    finally:
        sources.close()


@dataclass(frozen=True)
class Counted:
    """Keys of one kind. `lives` are seconds to live of a sample (None: for ever), `waiting` keys
    whose request has been in progress for longer than a worker lives."""

    kind: Kind
    count: int
    complete: bool
    lives: tuple[int | None, ...]
    as_of: datetime
    waiting: tuple[str, ...] = ()


_Row = tuple[str, str, int, int, timedelta | None, timedelta | None, int]


def _count(settings: Settings, sources: Sources, kind: Kind) -> Counted:
    redis = sources.redis
    keys, complete = redis.scan(kind.pattern, _MOST)
    sample = keys[:_SAMPLE]
    ttls = redis.ttls(sample)
    waiting: tuple[str, ...] = ()
    if kind.id == "idempotency" and settings.circuit.in_progress:
        old = [key for key in sample if _age(ttls[key], kind) > settings.circuit.worker_life]
        values = redis.strings(old[:_VALUES])
        words = set(settings.circuit.in_progress)
        waiting = tuple(key for key, value in values.items() if _plain(value) in words)
    lives = tuple(ttls[key] for key in sample)
    return Counted(kind, len(keys), complete, lives, redis.now(), waiting)


def _age(left: int | None, kind: Kind) -> float:
    """Seconds since it was set, by its life: 0 where that cannot be told."""
    return 0.0 if left is None or kind.ttl is None else max(kind.ttl - left, 0.0)


def _told(settings: Settings, sources: Sources, kind: Kind) -> tuple[CheckResult, _Row | None]:
    try:
        found = _count(settings, sources, kind)
    except SourceError as error:
        status = Status[settings.unreachable] if error.does_not_answer else Status.UNKNOWN
        hint = (Action(error.hint, error.by_hand),) if error.hint else ()
        return _result(kind, status, f"could not be told: {error}", datetime.now(UTC), hint), None
    endless = sum(left is None for left in found.lives)
    more = "" if found.complete else " or more"
    said = f"{found.count:,}{more} {'key' if found.count == 1 else 'keys'}"
    actions: tuple[Action, ...] = ()
    status = Status.OK
    if endless and kind.ttl is not None:
        status = Status.WARN
        said += f"; {endless:,} of {len(found.lives):,} looked at never expire"
        actions = (Action("See who sets them without a life: they fill Redis, and never forget"),)
    if found.waiting:
        status = Status.WARN
        life = human_duration(settings.circuit.worker_life)
        said += f"; {len(found.waiting):,} in progress for more than {life}: their workers are gone"
        first = redact(found.waiting[0])
        actions += (Action("See one", f"payops circuit idempotency {_quoted(first)}"),)
    check = _result(kind, status, said, found.as_of, actions)
    some = [left for left in found.lives if left is not None]
    shortest = timedelta(seconds=min(some)) if some else None
    longest = timedelta(seconds=max(some)) if some else None
    return check, (
        kind.id,
        kind.pattern,
        found.count,
        endless,
        shortest,
        longest,
        len(found.waiting),
    )


def _result(
    kind: Kind, status: Status, said: str, now: datetime, actions: tuple[Action, ...] = ()
) -> CheckResult:
    return CheckResult(
        status,
        said,
        "redis",
        now,
        actions=actions,
        id=f"redis.{kind.id}",
        title=kind.title,
        rows=_ROWS,
    )


def _table(rows: Sequence[_Row]) -> Table:
    columns = (
        Column("kind", "Kind"),
        Column("pattern", "Keys", wide=True),
        Column("count", "Count"),
        Column("without_life", "Never expire"),
        Column("shortest", "Shortest life"),
        Column("longest", "Longest"),
        Column("waiting", "In progress"),
    )
    note = f"lives are those of {_SAMPLE:,} keys of a kind at most"
    return Table("keys", "Keys of payments in Redis", columns, tuple(rows), note)


def one_key(settings: Settings, key: str, deadline: Deadline) -> Report:
    """One idempotency key: what Redis has of it, and the row that was made with it."""
    started = time.monotonic()
    now = datetime.now(UTC)
    sources = Sources(settings, deadline.sooner(0.1, at_most=0.5))
    try:
        checks = (_in_redis(settings, sources, key, now), _in_ledger(settings, sources, key, now))
        return Report(
            command="circuit idempotency",
            generated_at=now,
            environment=settings.environment,
            checks=checks,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
    finally:
        sources.close()


def bare(settings: Settings, key: str) -> str:
    """The Idempotency-Key in a Redis key, or what it is already."""
    one = settings.trace.idempotency
    if one is None:
        return key
    before, _, after = one.key.partition("{key}")
    whole = key.startswith(before) and key.endswith(after) and len(key) > len(before + after)
    return key[len(before) : len(key) - len(after)] if before and whole else key


def _in_redis(settings: Settings, sources: Sources, key: str, now: datetime) -> CheckResult:
    one = settings.trace.idempotency
    if one is None:
        said = "this system is not known to keep idempotency keys in Redis (trace.idempotency)"
        return CheckResult(Status.SKIP, said, "redis", now, id="redis.idempotency", rows=_ROWS)
    named = one.key.replace("{key}", bare(settings, key))
    kind = Kind("idempotency", "In Redis", named, one.ttl)
    try:
        value = sources.redis.strings([named])[named]
        stored = sources.redis.types([named])[named]
        left = sources.redis.ttls([named])[named]
        as_of = sources.redis.now()
    except SourceError as error:
        status = Status[settings.unreachable] if error.does_not_answer else Status.UNKNOWN
        return _result(kind, status, f"could not be told: {error}", now)
    if stored == "none":
        ttl = human_duration(one.ttl)
        said = f"no key {shortened(named, 80)}: never used, or older than {ttl}"
        return _result(kind, Status.OK, said, as_of)
    content = masked(value) if value is not None else f"(a {stored}, not text)"
    age = _age(left, kind)
    detail: dict[str, Scalar] = {"type": stored, "ttl_s": left, "content": content}
    said = f"is there, set {human_duration(age)} ago" if left is not None else "is there for ever"
    status = Status.OK
    if _plain(value) in set(settings.circuit.in_progress):
        late = age > settings.circuit.worker_life
        status = Status.WARN if late else Status.OK
        said += ", in progress" + (": its worker is gone" if late else "")
    result = _result(kind, status, said, as_of)
    return _with(result, Evidence(named, "redis", as_of, detail))


def _in_ledger(settings: Settings, sources: Sources, key: str, now: datetime) -> CheckResult:
    ledger = settings.payments
    id_, title = "ledger.idempotency", "In the ledger"
    if ledger is None or not ledger.columns.idempotency_key:
        said = "the ledger has no column of idempotency keys"
        return CheckResult(Status.SKIP, said, "postgres", now, id=id_, title=title, rows=_ROWS)
    try:
        rows = rows_named(sources.postgres, ledger, {"idempotency_key": [bare(settings, key)]})
    except SourceError as error:
        status = Status[settings.unreachable] if error.does_not_answer else Status.UNKNOWN
        said = f"could not be told: {error}"
        return CheckResult(status, said, "postgres", now, id=id_, title=title, rows=_ROWS)
    if not rows:
        said = "no row was made with it"
        return CheckResult(Status.OK, said, "postgres", now, id=id_, title=title, rows=_ROWS)
    result = CheckResult(
        Status.WARN if len(rows) > 1 else Status.OK,
        f"{len(rows):,} rows were made with it" if len(rows) > 1 else _row(rows[0]),
        "postgres",
        now,
        actions=(Action("See its whole story", f"payops trace {_quoted(rows[0].key)}"),),
        id=id_,
        title=title,
        rows=_ROWS,
    )
    return _with(result, *(Evidence(_row(row), "postgres", now) for row in rows[:5]))


def _row(row: NamedRow) -> str:
    word = row.status or PaymentStatus.PENDING.value
    reference = f", {row.processor_ref}" if row.processor_ref else ", without a reference"
    return f"row {row.key} is {word}{reference}"


def _with(result: CheckResult, *evidence: Evidence) -> CheckResult:
    return replace(result, evidence=evidence)


def _plain(value: bytes | None) -> str:
    """A value as a word, a pickled one too."""
    if value is None:
        return ""
    if is_pickle(value):
        try:
            return str(read_scalar(value))
        except ValueError:
            return ""
    return value.decode("utf-8", "replace").strip("\"'")


def masked(value: bytes) -> str:
    """What a key holds, for eyes: secrets masked, pickles of more than a scalar only named."""
    if is_pickle(value):
        try:
            return redact(shortened(str(read_scalar(value)), _LONGEST))
        except ValueError as error:
            return f"(a pickle of {len(value):,} bytes that {error})"
    text = value.decode("utf-8", "backslashreplace")
    try:
        made = json.loads(text)
    except (ValueError, RecursionError):
        return redact(shortened(text, _LONGEST))
    return shortened(redact(json.dumps(_without_secrets(made))), _LONGEST)


_SECRET_WORDS = ("secret", "token", "password", "authorization", "card", "cvc", "email", "phone")


def _without_secrets(made: object) -> object:
    if isinstance(made, dict):
        return {
            str(name): "[masked]"
            if any(word in str(name).lower() for word in _SECRET_WORDS)
            else _without_secrets(value)
            for name, value in made.items()
        }
    if isinstance(made, list):
        return [_without_secrets(one) for one in made]
    return made


def _quoted(text: str) -> str:
    return shlex.quote(text)
