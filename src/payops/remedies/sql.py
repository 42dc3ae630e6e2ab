"""The rows of a configured remedy's `select` become changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from payops.domain.plan import Change, Values
from payops.domain.plan_facts import Refusal
from payops.domain.secret import redact
from payops.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from payops.config.settings import Remedy

_NEW = "new_"


def params_of(name: str, known: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The defaults with what `--set` gave. Raises UsageError for a name that is not known."""
    for each in given:
        if each not in known:
            near = get_close_matches(each, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
            raise UsageError(f"--set: remedy {name!r} has no parameter {each!r}", hint=hint)
    return {**known, **given}


def changes_of(
    name: str, remedy: Remedy, rows: Sequence[Values], columns: Iterable[str]
) -> tuple[list[Change], list[Refusal]]:
    """A change for each row in which something would change; `columns` are the table's.

    A column of the table that has no `new_` twin is compared and left as it is; one that is not
    the table's is evidence. Where nothing but the key and `new_` columns is given, each row is a
    new one, inserted where no row has the key. Raises ConfigError when the select does not give
    what it must.
    """
    if not rows:
        return [], []
    known = set(columns)
    given = list(rows[0])
    sets = [column for column in given if _NEW + column in given and column not in remedy.key]
    guards = [
        column
        for column in given
        if column in known and column not in remedy.key and not _is_new(column, given)
    ]
    shown = [column for column in given if column not in known and not _is_new(column, given)]
    where = f"remedies.{name}.select"
    fresh = [
        column
        for column in given
        if column.startswith(_NEW)
        and column[len(_NEW) :] in known
        and column not in known
        and column[len(_NEW) :] not in given
    ]
    is_new = bool(fresh) and not sets and not guards
    for column in remedy.key:
        if column not in given:
            raise ConfigError(f"does not give the key column {column!r}", path=where)
    if is_new:
        return _inserts(name, remedy, rows, fresh, shown)
    if not sets:
        raise ConfigError("gives no COLUMN with a new_COLUMN", path=where)
    for column in sets:
        if column not in known:
            raise ConfigError(f"{remedy.table!r} has no column {column!r}", path=where)
    for column in given:
        if column.startswith(_NEW) and column not in known and column[len(_NEW) :] not in given:
            raise ConfigError(
                f"gives {column!r} without {column[len(_NEW) :]!r} as it is now", path=where
            )
    changes: list[Change] = []
    refused: list[Refusal] = []
    ids: set[str] = set()
    for row in rows:
        after = {c: row[_NEW + c] for c in sets if row[_NEW + c] != row[c]}
        id_ = f"{name}:{','.join(str(row[column]) for column in remedy.key)}"
        if not after:
            continue
        if why := _no(row, remedy, id_ in ids):
            refused.append(Refusal(id_, why))
            continue
        ids.add(id_)
        changes.append(
            Change(
                id=id_,
                remedy=f"sql:{name}",
                table=remedy.table,
                key={column: row[column] for column in remedy.key},
                before={column: row[column] for column in guards},
                after=after,
                statement="",
                why=remedy.why,
                evidence=_evidence(row, shown),
                risk=remedy.risk,
            )
        )
    return changes, refused


def _inserts(
    name: str, remedy: Remedy, rows: Sequence[Values], fresh: Sequence[str], shown: Sequence[str]
) -> tuple[list[Change], list[Refusal]]:
    changes: list[Change] = []
    refused: list[Refusal] = []
    ids: set[str] = set()
    for row in rows:
        id_ = f"{name}:{','.join(str(row[column]) for column in remedy.key)}"
        if why := _no(row, remedy, id_ in ids):
            refused.append(Refusal(id_, why))
            continue
        ids.add(id_)
        key = {column: row[column] for column in remedy.key}
        changes.append(
            Change(
                id=id_,
                remedy=f"sql:{name}",
                table=remedy.table,
                key=key,
                before={},
                after={**key, **{column[len(_NEW) :]: row[column] for column in fresh}},
                statement="",
                why=remedy.why,
                evidence=_evidence(row, shown),
                risk=remedy.risk,
            )
        )
    return changes, refused


def _evidence(row: Values, shown: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{column}={row[column]}" for column in shown if not column.startswith(_NEW))


def _is_new(column: str, given: Sequence[str]) -> bool:
    return column.startswith(_NEW) and column[len(_NEW) :] in given


def _no(row: Values, remedy: Remedy, twice: bool) -> str:
    if any(row[column] is None for column in remedy.key):
        return "its key is NULL"
    if twice:
        return "its key finds several rows"
    for column, value in row.items():
        if value is not None and redact(value) != value:
            return f"{column} holds what looks like a secret, and a plan holds none"
    return ""
