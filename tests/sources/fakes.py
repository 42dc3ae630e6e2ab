"""Sources that answer from memory. They subclass the real ones; `test_contract.py` holds both to
the same suite."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from payops.config.ledger import Ledger
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.payment import PaymentStatus
from payops.domain.window import Window
from payops.errors import Failure, SourceError
from payops.sources.ledger import LedgerReader, OpenPayment, OpenPayments, Outcome, Outcomes
from payops.sources.postgres import PostgresSource
from payops.sources.postgres_facts import PostgresFacts
from payops.sources.redis import RedisFacts, RedisSource
from payops.sources.stripe import Answer, Listing, StripeSource
from payops.sources.stripe_objects import Account

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)


class FakeRedis(RedisSource):
    """`keys` by name; `ttl` in seconds of those that have one; `error` is raised by everything."""

    def __init__(
        self,
        keys: Mapping[str, bytes] | None = None,
        ttl: Mapping[str, int] | None = None,
        error: SourceError | None = None,
        now: datetime = NOW,
    ) -> None:
        self.keys = dict(keys or {})
        self.ttl = dict(ttl or {})
        self.error = error
        self._now = now

    def facts(self) -> RedisFacts:
        self._answer()
        return RedisFacts(
            version="7.2.4",
            role="master",
            used_memory=1_000_000,
            maxmemory=0,
            maxmemory_policy="noeviction",
            evicted_keys=0,
            rejected_connections=0,
            connected_clients=1,
            uptime_s=86400,
            loading=False,
            rdb_last_bgsave_ok=True,
            aof_last_write_ok=True,
            link_up=None,
            latency_ms=1.0,
            as_of=self._now,
        )

    def strings(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        self._answer()
        return {key: self.keys.get(key) for key in keys}

    def types(self, keys: Sequence[str]) -> dict[str, str]:
        self._answer()
        return {key: "string" if key in self.keys else "none" for key in keys}

    def ttls(self, keys: Sequence[str]) -> dict[str, int | None]:
        self._answer()
        return {key: self.ttl.get(key) for key in keys}

    def scan(self, pattern: str, at_most: int) -> tuple[list[str], bool]:
        self._answer()
        found = sorted(key for key in self.keys if fnmatch.fnmatchcase(key, pattern))
        return found[:at_most], len(found) <= at_most

    def now(self) -> datetime:
        self._answer()
        return self._now

    def close(self) -> None:
        pass

    def _answer(self) -> None:
        if self.error is not None:
            raise self.error


class FakeStripe(StripeSource):
    """`objects` are Stripe's, as JSON, of any kind; listed by the last part of a path."""

    def __init__(
        self, objects: Sequence[Mapping[str, Any]] = (), error: SourceError | None = None
    ) -> None:
        self.objects = list(objects)
        self.error = error
        self.calls = 0
        self.request_ids = []

    def get(self, path: str, into: type[Any], **params: Any) -> Answer[Any]:
        self._call()
        wanted = path.rpartition("/")[2]
        for each in self.objects:
            if each["id"] == wanted:
                return self._answer(msgspec.convert(each, into))
        message = f"GET {path}: HTTP 404: No such object: {wanted!r}"
        raise SourceError("stripe", Failure.NOT_FOUND, message, http_status=404)

    def list(
        self, path: str, into: type[Any], *, at_most: int = 1000, **params: Any
    ) -> Listing[Any]:
        kind = path.rpartition("/")[2].removesuffix("s")
        created = params.get("created", {})
        found = [
            each
            for each in sorted(self.objects, key=lambda each: -each.get("created", 0))
            if each["object"] == kind
            and created.get("gte", 0) <= each["created"] < created.get("lt", float("inf"))
            and (params.get("delivery_success") is not False or each.get("pending_webhooks"))
        ]
        pages = max(1, -(-min(len(found), at_most) // 100))
        ids = tuple(self._call() for _ in range(pages))
        items = tuple(msgspec.convert(each, into) for each in found[:at_most])
        return Listing(items, len(found) <= at_most, ids, NOW)

    def account(self) -> Answer[Account]:
        self._call()
        return self._answer(Account("acct_1Fake", "US", True, True))

    def close(self) -> None:
        pass

    def _call(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        self.request_ids.append(f"req_{self.calls:04}")
        return self.request_ids[-1]

    def _answer(self, value: Any) -> Answer[Any]:
        return Answer(value, self.request_ids[-1], 10.0, NOW)


@dataclass(frozen=True)
class Row:
    """A row of a ledger; `amount` in minor units, None where it is odd."""

    id: str
    status: str
    amount: int | None
    created_at: datetime
    currency: str = "usd"
    processor_ref: str | None = None
    failure_code: str | None = None


class FakeLedger(LedgerReader):
    """Answers from `rows`."""

    def __init__(self, ledger: Ledger, rows: Sequence[Row]) -> None:
        self._ledger = ledger
        self._rows = rows
        self._words = {r: PaymentStatus(w) for w, raws in ledger.statuses.items() for r in raws}

    def open_payments(
        self,
        *,
        older_than: datetime,
        newer_than: datetime | None,
        statuses: frozenset[PaymentStatus],
        sample: int,
    ) -> OpenPayments:
        since = newer_than or datetime.min.replace(tzinfo=UTC)
        rows = sorted(
            (
                row
                for row in self._rows
                if self._words.get(row.status) in statuses and since <= row.created_at < older_than
            ),
            key=lambda row: (row.created_at, row.id),
        )
        referenced = bool(self._ledger.columns.processor_ref)
        return OpenPayments(
            count=len(rows),
            oldest=rows[0].created_at if rows else None,
            money=_money(rows),
            inexact=sum(row.amount is None for row in rows),
            without_reference=sum(not row.processor_ref for row in rows) if referenced else None,
            sample=tuple(
                OpenPayment(
                    row.id,
                    row.processor_ref,
                    row.status,
                    None if row.amount is None else Money(row.currency, row.amount),
                    row.created_at,
                )
                for row in rows[:sample]
            ),
            as_of=NOW,
        )

    def outcomes(self, window: Window) -> Outcomes:
        def key(row: Row) -> tuple[str, str, str]:
            return (row.status, row.failure_code or "", row.currency)

        outcomes = []
        inside = sorted((row for row in self._rows if row.created_at in window), key=key)
        for _, group in itertools.groupby(inside, key):
            rows = list(group)
            (money,) = _money(rows)
            outcomes.append(
                Outcome(
                    status=self._words.get(rows[0].status),
                    raw=rows[0].status,
                    failure_code=rows[0].failure_code,
                    currency=rows[0].currency,
                    count=money.count,
                    minor=money.minor,
                    inexact=sum(row.amount is None for row in rows),
                    first=min(row.created_at for row in rows),
                    last=max(row.created_at for row in rows),
                )
            )
        return Outcomes(tuple(sorted(outcomes, key=lambda each: -each.count)), NOW)


class FakePostgres(PostgresSource):
    """`facts` of a healthy primary, changed by keywords; `rows` of every ledger."""

    def __init__(
        self, rows: Sequence[Row] = (), error: SourceError | None = None, **facts: Any
    ) -> None:
        self._rows = rows
        self.error = error
        self._facts = replace(_HEALTHY, **facts)

    def server(self) -> PostgresFacts:
        if self.error is not None:
            raise self.error
        return self._facts

    def ledger(self, ledger: Ledger) -> LedgerReader:
        if self.error is not None:
            raise self.error
        return FakeLedger(ledger, self._rows)

    def close(self) -> None:
        pass


_HEALTHY = PostgresFacts(
    version="16.4",
    database="shop",
    in_recovery=False,
    replay_lag_s=None,
    max_connections=100,
    reserved=3,
    connections=12,
    states={"active": 2, "idle": 10},
    latency_ms=1.0,
    now=NOW,
    as_of=NOW,
)


def _money(rows: Sequence[Row]) -> tuple[MoneyAtRisk, ...]:
    return total_at_risk(Money(row.currency, row.amount or 0) for row in rows)
