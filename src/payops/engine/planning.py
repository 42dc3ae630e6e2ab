"""From discrepancies or a remedy to a plan, and a plan to a file and back."""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.discrepancy import Discrepancy
from payops.domain.plan import Caps, Change, Plan, Target, Values, signed
from payops.domain.plan_facts import Refusal, StripeFacts
from payops.domain.plan_file import LARGEST, check_plan, plan_of, plan_text
from payops.domain.secret import redact
from payops.engine.target import check_signed
from payops.errors import NotConfiguredError, UsageError
from payops.remedies import code_remedies
from payops.remedies.ledger import Seen, columns_for, fix_for, plan_for
from payops.remedies.sql import changes_of, params_of

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.remedies.contract import CodeRemedy
    from payops.sources.remedy_rows import RemedyRows


_REDIS_S = 30.0


@dataclass(frozen=True)
class Planned:
    """A plan, which may be empty, and what was left out of it."""

    plan: Plan
    refused: tuple[Refusal, ...]


def plan_from(
    discrepancies: Iterable[Discrepancy],
    settings: Settings,
    facts: Mapping[str, StripeFacts],
    *,
    account: str,
    command: str,
    now: datetime,
) -> Planned:
    """The changes that the ledgers' `fixes` allow for these discrepancies.

    `facts` are by `Discrepancy.stripe_id` (of a missing refund the `re_…`). `account` is Stripe's
    (`acct_…`; empty when both sides came from files: then only the database is held to be the
    right one). `command` is the line to write into the plan. Reads the rows' columns as they are
    now, by `postgres.dsn`, in its own read-only sessions. Raises NotConfiguredError without a
    database, SourceError when it does not answer.
    """
    everything = list(discrepancies)
    wanted = [each for each in everything if each.ledger in settings.ledgers]
    refused = [
        Refusal(each.stripe_id or each.local_id, "it belongs to no mapped ledger")
        for each in everything
        if each.ledger not in settings.ledgers
    ]
    with reading(settings) as rows:
        changes: list[Change] = []
        seen = _seen(wanted, settings, rows)
        for discrepancy in wanted:
            subject = discrepancy.stripe_id or discrepancy.local_id
            found = facts.get(discrepancy.stripe_id)
            if found is None:
                refused.append(Refusal(subject, "Stripe's side of it is not known"))
                continue
            made = plan_for(
                discrepancy,
                settings.ledgers,
                found,
                seen.of(discrepancy),
                now=now,
            )
            if isinstance(made, Change):
                made = _finished(made, rows)
            if isinstance(made, Change) and _clashes(made, changes):
                made = Refusal(subject, "the plan changes that row already")
            (changes.append if isinstance(made, Change) else refused.append)(made)  # type: ignore[arg-type]
        plan = _plan(changes, settings, rows, account=account, command=command, now=now)
    return Planned(plan, tuple(refused))


def plan_remedy(
    name: str, settings: Settings, given: Mapping[str, str], *, command: str, now: datetime
) -> Planned:
    """The changes of a configured remedy, or of one written in code.

    Raises UsageError for a name or parameter that is not known, ConfigError for a select that does
    not give what it must, SourceError.
    """
    remedy = settings.remedies.get(name)
    code = code_remedies().get(name) if remedy is None else None
    if remedy is None and code is None:
        known = [*settings.remedies, *code_remedies()]
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `payops remedy list`"
        raise UsageError(f"there is no remedy {name!r}", hint=hint)
    if code is not None and code.make_redis is not None:
        return _of_redis(name, code, settings, given, command=command, now=now)
    with reading(settings) as rows:
        refused: list[Refusal] = []
        if remedy is not None:
            params = params_of(name, remedy.params, given)
            table = rows.table(remedy.table)
            found, refused = changes_of(
                name, remedy, rows.selected(name, remedy, params), table.columns
            )
            most = remedy.max_changes
        else:
            assert code is not None  # noqa: S101  one of the two is there
            assert code.make is not None  # noqa: S101  and it is not for Redis
            found = list(code.make(settings, rows, params_of(name, code.params, given)))
            most = code.max_changes
        changes: list[Change] = []
        for change in found:
            made = _finished(change, rows)
            (changes.append if isinstance(made, Change) else refused.append)(made)  # type: ignore[arg-type]
        plan = _plan(changes, settings, rows, command=command, now=now, most=most)
    return Planned(plan, tuple(refused))


def _of_redis(
    name: str,
    code: CodeRemedy,
    settings: Settings,
    given: Mapping[str, str],
    *,
    command: str,
    now: datetime,
) -> Planned:
    from payops.domain.deadline import Deadline
    from payops.sources.redis_writer import RedisWriter

    assert code.make_redis is not None  # noqa: S101  asked before
    if settings.redis is None:
        raise NotConfiguredError("redis is not configured", hint="add redis.url")
    redis = RedisWriter(settings.redis, Deadline.after(_REDIS_S))
    try:
        changes = tuple(code.make_redis(settings, redis, params_of(name, code.params, given)))
        fingerprint, database = redis.fingerprint()
    finally:
        redis.close()
    limits = settings.apply
    plan = Plan(
        command=command,
        created_at=now,
        expires_s=max(1, round(limits.max_age)),
        target=Target("redis", settings.environment, database, fingerprint),
        changes=changes,
        caps=Caps(code.max_changes, dict(limits.max_money)),
    )
    return Planned(signed(plan), ())


@contextmanager
def reading(settings: Settings) -> Iterator[RemedyRows]:
    """What planning asks, closed afterwards."""
    from payops.sources.remedy_rows import RemedyRows

    rows = RemedyRows(settings.postgres)
    try:
        yield rows
    finally:
        rows.close()


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan's file, 0600, whole or not at all. Raises UsageError when it cannot be."""
    check_plan(plan)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(file, "w", encoding="ascii") as writing:
                writing.write(plan_text(plan))
                writing.flush()
                os.fsync(file)
            new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def load_plan(path: Path) -> Plan:
    """Read a plan's file. Raises UsageError when it is none, RefusedError when it was edited."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    try:
        if len(content) > LARGEST:
            raise ValueError(f"is larger than {LARGEST // 2**20} MB")
        plan = plan_of(content.decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: {error}", hint="plans are made by --save-plan") from None
    check_signed(plan)
    return plan


class _Found:
    """The rows that the discrepancies are about, and the types of the tables' columns."""

    def __init__(self, settings: Settings, rows: RemedyRows) -> None:
        self._settings, self._rows = settings, rows
        self.values: dict[str, dict[str, Values]] = {}

    def of(self, discrepancy: Discrepancy) -> Seen:
        """What concerns one."""
        ledger = self._settings.ledgers[discrepancy.ledger]
        fix = fix_for(discrepancy, ledger)
        table = ledger.table
        if fix and fix.insert_into in self._settings.ledgers:
            table = self._settings.ledgers[fix.insert_into].table
        columns = self._rows.table(table).columns if fix else {}
        row = self.values.get(discrepancy.ledger, {}).get(discrepancy.local_id)
        return Seen(row, {name: column.base for name, column in columns.items()})


def _seen(wanted: Sequence[Discrepancy], settings: Settings, rows: RemedyRows) -> _Found:
    """Read each ledger's rows at once."""
    found = _Found(settings, rows)
    keys: dict[str, list[str]] = defaultdict(list)
    columns: dict[str, dict[str, None]] = defaultdict(dict)
    for discrepancy in wanted:
        ledger = settings.ledgers[discrepancy.ledger]
        fix = fix_for(discrepancy, ledger)
        if fix and not fix.insert_into and discrepancy.local_id:
            keys[discrepancy.ledger].append(discrepancy.local_id)
            columns[discrepancy.ledger].update(dict.fromkeys(columns_for(fix, ledger)))
    for name, ids in keys.items():
        ledger = settings.ledgers[name]
        found.values[name] = rows.row_values(
            ledger.table, ledger.columns.id, ids, list(columns[name])
        )
    return found


def _finished(change: Change, rows: RemedyRows) -> Change | Refusal:
    """With values as the columns hold them, and the statement as it will run."""
    try:
        after = rows.canonical(change.table, change.after)
    except ValueError as error:
        return Refusal(change.id, f"the database does not take it: {error}")
    if change.before:
        after = {c: value for c, value in after.items() if value != change.before[c]}
        if not after:
            return Refusal(change.id, "the row has these values already")
    key = {column: after.get(column, value) for column, value in change.key.items()}
    if change.kind == "insert":
        change = replace(change, key=key)
        if rows.there(change):
            return Refusal(change.id, "such a row is there already")
    change = replace(change, after=after, why=redact(change.why))
    return replace(change, statement=rows.statement(change))


def _clashes(change: Change, others: Iterable[Change]) -> bool:
    return any(
        other.id == change.id or (other.table == change.table and other.key == change.key)
        for other in others
    )


def _plan(
    changes: Sequence[Change],
    settings: Settings,
    rows: RemedyRows,
    *,
    command: str,
    now: datetime,
    account: str = "",
    most: int | None = None,
) -> Plan:
    database, fingerprint = rows.target()
    limits = settings.apply
    caps = Caps(
        min(limits.max_changes, most or limits.max_changes),
        {currency.lower(): minor for currency, minor in limits.max_money.items()},
    )
    return signed(
        Plan(
            command=redact(command),
            created_at=now,
            expires_s=max(1, round(limits.max_age)),
            target=Target("postgres", settings.environment, database, fingerprint, account),
            changes=tuple(changes),
            caps=caps,
        )
    )
