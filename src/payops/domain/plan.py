"""A reviewed list of changes with a digest. Nothing is changed but by applying one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from payops.domain.money import Money

PLAN_VERSION = 1

SENT_BY = {
    "webhook.replay": frozenset({"event"}),
    "webhook.retry": frozenset({"event", "webhook_endpoint"}),
}
"""What the key of a change holds that sends: by payops, and by Stripe to an endpoint of its own."""

SENDS = frozenset(SENT_BY)
"""Remedies that send an event again instead of setting columns."""

Values = Mapping[str, str | None]
"""Column (or Redis key): value as text, as the database itself writes it; None is NULL."""


@dataclass(frozen=True)
class Target:
    """Where a plan may be applied, and nowhere else.

    `system` is `postgres`, `http` or `redis`. `fingerprint` tells this very database from every
    other (PostgreSQL: its system identifier and database oid; never a host name or a secret). Of
    `http`, `database` is the name of the webhook endpoint, and `fingerprint` is made of its URL and
    of Stripe's account; of `redis` it is made of the replication id and the database's number.
    `account` is Stripe's, empty when the plan does not rest on Stripe.
    """

    system: str
    environment: str
    database: str
    fingerprint: str
    account: str = ""


@dataclass(frozen=True)
class Change:
    """One compare-and-set.

    `id` is stable: planning the same discrepancy again gives the same id. `remedy` names who can
    apply it (`ledger.update`, `ledger.insert`, `sql:NAME`). `table` is as in the mapping, `key`
    finds the row, `before` is what the plan saw (the compare) and `after` what it becomes (the
    set, and each column of it is in `before`). An insert has an empty `before`, and `key` is what
    no row may have yet; a delete, which only undo makes, has an empty `after`, and `row`, the
    SHA-256 of the whole row's text, compared too. `statement` is the SQL as it will run, for people
    and for the ticket: it is made anew when it is applied, and a different one is refused. `risk`
    is one line, `evidence` what it rests on.

    What is sent (`SENDS`) has an empty `after` too: `key` names the event, `before` what was seen
    of it, `table` where it goes.
    """

    id: str
    remedy: str
    table: str
    key: Values
    before: Values
    after: Values
    statement: str
    why: str
    evidence: tuple[str, ...] = ()
    risk: str = ""
    undoable: bool = True
    money: Money | None = None
    row: str = ""
    undoes: int = 0
    """Of an undo: the journal's entry that it puts back."""

    @property
    def kind(self) -> str:
        """`update`, `insert`, `delete` or `send`."""
        if self.remedy in SENDS:
            return "send"
        if not self.before:
            return "insert"
        return "update" if self.after else "delete"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it compares or sets."""
        return tuple(dict.fromkeys((*self.key, *self.before, *self.after)))


@dataclass(frozen=True)
class Caps:
    """More than this is refused without `--force`. `minor` by currency, in minor units."""

    changes: int
    minor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Changes to one target, as a person can review them.

    `created_at` is aware UTC, `expires_s` its limit in seconds. `command` is the line that made
    it. `digest` is over everything else (`digest_of`): an edited plan is refused.
    """

    command: str
    created_at: datetime
    expires_s: int
    target: Target
    changes: tuple[Change, ...]
    caps: Caps
    digest: str = ""
    version: int = PLAN_VERSION


def money_of(changes: Iterable[Change]) -> dict[str, int]:
    """Minor units by currency that the changes touch, each counted without its sign."""
    sums: dict[str, int] = {}
    for change in changes:
        if change.money is not None:
            money = change.money
            sums[money.currency] = sums.get(money.currency, 0) + abs(money.minor)
    return sums


def body_of(plan: Plan) -> dict[str, Any]:
    """The plan as plain values, without its digest: what the file holds and the digest is over."""
    body = asdict(plan)
    del body["digest"]
    body["created_at"] = plan.created_at.isoformat()
    return body


def signed(plan: Plan) -> Plan:
    """The plan with its digest."""
    return replace(plan, digest=digest_of(plan))


def digest_of(plan: Plan) -> str:
    """SHA-256 (hex) of the plan's canonical JSON without its digest."""
    text = json.dumps(body_of(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
