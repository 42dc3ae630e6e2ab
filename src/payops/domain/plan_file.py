"""A plan as the text of its file, and back. The reader is strict: a plan is what changes money.

The digest is not looked at here: `payops.domain.plan.digest_of` tells whether it was edited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from payops.domain.money import Money
from payops.domain.plan import PLAN_VERSION, SENT_BY, Caps, Change, Plan, Target, Values, body_of
from payops.domain.text import harmless, shortened

T = TypeVar("T")

LARGEST = 64 * 1024 * 1024  # bytes of a file that are read at all; 200 changes take some 300 kB
_CURRENCY = re.compile(r"[a-z]{3}")
_WORDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}


def plan_text(plan: Plan) -> str:
    """The file's text: JSON in ASCII, so that nothing in it is obeyed by a terminal."""
    ordered = {"version": plan.version, "digest": plan.digest, **body_of(plan)}
    return json.dumps(ordered, indent=2, ensure_ascii=True) + "\n"


def plan_of(text: str) -> Plan:
    """The plan in a file's text. Raises ValueError saying where and what is wrong."""
    try:
        raw = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg}, line {error.lineno}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    version = raw.get("version") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or version is None:
        raise ValueError("is not a plan of payops: it has no version")
    if version != PLAN_VERSION or isinstance(version, bool):
        raise ValueError(f"version {_shown(version)} is not known here, only {PLAN_VERSION} is")
    part = _Part("plan", raw)
    plan = Plan(
        version=part.take("version", int),
        digest=part.take("digest", str) if "digest" in raw else "",
        command=part.take("command", str),
        created_at=_moment(part.take("created_at", str)),
        expires_s=part.take("expires_s", int),
        target=_target(part.part("target")),
        caps=_caps(part.part("caps")),
        changes=tuple(
            _change(_Part(f"changes[{n}]", each))
            for n, each in enumerate(part.take("changes", list))
        ),
    )
    part.end()
    check_plan(plan)
    return plan


def check_plan(plan: Plan) -> None:
    """What holds of every plan, whoever made it. Raises ValueError."""
    seen: set[str] = set()
    if plan.expires_s <= 0:
        raise ValueError("plan.expires_s: is not longer than nothing")
    for n, change in enumerate(plan.changes):
        where = f"changes[{n}]"
        if not change.id or change.id in seen:
            raise ValueError(f"{where}.id: {_shown(change.id)} is empty or stands there twice")
        seen.add(change.id)
        if not change.key or any(value is None for value in change.key.values()):
            raise ValueError(f"{where}.key: does not find one row")
        if not change.table or (not change.before and not change.after):
            raise ValueError(f"{where}: changes nothing")
        if (change.kind == "send") != (plan.target.system == "http"):
            raise ValueError(f"{where}.remedy: is not for {_shown(plan.target.system)}")
        if change.kind == "send" and (change.after or not change.before):
            raise ValueError(f"{where}: what is sent has a before, and no after")
        if change.kind == "send" and set(change.key) != SENT_BY[change.remedy]:
            raise ValueError(f"{where}.key: is not that of a {change.remedy}")
        if change.kind == "update" and not set(change.after) <= set(change.before):
            raise ValueError(f"{where}.after: sets what was not seen before")
        if change.kind == "insert" and not set(change.key) <= set(change.after):
            raise ValueError(f"{where}.key: is not in what is inserted")
        if (change.kind == "delete") != bool(change.row):
            raise ValueError(f"{where}.row: belongs to a delete, and a delete cannot be without it")


def _target(part: _Part) -> Target:
    target = Target(
        system=part.take("system", str),
        environment=part.take("environment", str),
        database=part.take("database", str),
        fingerprint=part.take("fingerprint", str),
        account=part.take("account", str),
    )
    part.end()
    return target


def _caps(part: _Part) -> Caps:
    minor = part.part("minor")
    caps = Caps(part.take("changes", int), {c: minor.take(c, int) for c in list(minor.left)})
    part.end()
    return caps


def _change(part: _Part) -> Change:
    money = part.take_or_null("money", _money)
    change = Change(
        id=part.take("id", str),
        remedy=part.take("remedy", str),
        table=part.take("table", str),
        key=_values(part.part("key")),
        before=_values(part.part("before")),
        after=_values(part.part("after")),
        statement=part.take("statement", str),
        why=part.take("why", str),
        evidence=tuple(_text(part, each) for each in part.take("evidence", list)),
        risk=part.take("risk", str),
        undoable=part.take("undoable", bool),
        money=money,
        row=part.take("row", str),
        undoes=part.take("undoes", int),
    )
    part.end()
    return change


def _money(part: _Part) -> Money:
    currency, minor = part.take("currency", str), part.take("minor", int)
    part.end()
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"{part.where}.currency: {_shown(currency)} is no currency")
    return Money(currency, minor)


def _values(part: _Part) -> Values:
    values: dict[str, str | None] = {}
    for column in list(part.left):
        if not column or "\0" in column:
            raise ValueError(f"{part.where}: {_shown(column)} is no column")
        value = part.left.pop(column)
        values[column] = None if value is None else _text(part, value)
    return values


def _text(part: _Part, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{part.where}: {_shown(value)} is not a text that a database can hold")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"plan.created_at: {_shown(text)} is no time") from None
    if moment.utcoffset() != timedelta(0) or moment.isoformat() != text:
        raise ValueError(f"plan.created_at: {_shown(text)} is not written in UTC as payops does")
    return moment


class _Part:
    """A mapping of the file, each key of which is taken out once."""

    def __init__(self, where: str, raw: object) -> None:
        if not isinstance(raw, dict):
            raise ValueError(f"{where}: {_shown(raw)} is not a mapping")
        self.where = where
        self.left: dict[str, Any] = dict(raw)

    def take(self, key: str, kind: type[T]) -> T:
        """The value of a key, of exactly this type."""
        if key not in self.left:
            raise ValueError(f"{self.where}.{key}: is missing")
        value = self.left.pop(key)
        if type(value) is not kind:
            name = _shown(key)[1:-1]
            raise ValueError(f"{self.where}.{name}: {_shown(value)} is not {_WORDS[kind]}")
        return value

    def part(self, key: str) -> _Part:
        """A mapping inside this one."""
        if key not in self.left:
            raise ValueError(f"{self.where}.{key}: is missing")
        return _Part(f"{self.where}.{key}", self.left.pop(key))

    def take_or_null(self, key: str, read: Callable[[_Part], T]) -> T | None:
        """A mapping inside this one, or null."""
        if key in self.left and self.left[key] is None:
            self.left.pop(key)
            return None
        return read(self.part(key))

    def end(self) -> None:
        """Nothing may be left over."""
        if self.left:
            raise ValueError(
                f"{self.where}.{harmless(shortened(next(iter(self.left)), 40))}: "
                "is not known to this version"
            )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _shown(value: object) -> str:
    return harmless(shortened(repr(value), 60))
