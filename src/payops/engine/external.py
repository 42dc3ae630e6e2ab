"""`payops reconcile external`: outside processors' connections, collections and commissions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Threshold
from payops.errors import NotConfiguredError, SourceError
from payops.reconcile.external import (
    ROUNDING,
    CollectionFinding,
    CommissionFinding,
    ConnectionTotals,
    Odd,
    Terms,
    Wrong,
    judge_collection,
    judge_commission,
    judge_totals,
)
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.external import (
        ExternalCollections,
        ExternalConnections,
        ExternalSettings,
        ExternalTransactions,
    )
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.external import CollectionCounts, SaleCounts
    from payops.domain.window import Window
    from payops.sources.external import ExternalReader

# Whole tables are added up: health's statement timeout is for health's questions.
_STATEMENT_S = 60.0
# More are counted as 'or more': a fault that has so many rows is one fault.
MOST_ROWS = 2_000
# Connections, each once for every status and currency of its transactions.
MOST_SUMS = 20_000
_SHOWN = 10
DIFFERING = Threshold(0, None, "count", "S3-35: totals that are not those of the transactions")
ORPHANS = Threshold(None, 0, "count", "payops: transactions of a connection that is not there")
BROKEN = Threshold(0, None, "count", "payops: net is amount less fee, or less the refund too")
UNKNOWN = Threshold(0, None, "count", "payops: a status that is not mapped is named, not guessed")
COLLECTIONS = Threshold(None, 0, "count", "S3-32: what a collection names exists and is its own")
COMMISSIONS = Threshold(None, 0, "count", "S3-33: commission is amount x rate, to the cent")
UNROUNDED = Threshold(0, None, "count", "payops: a commission is whole minor units")
WITHOUT_RATE = Threshold(0, None, "count", "payops: without a rate nothing can be held against it")


@dataclass(frozen=True)
class _Asked:
    """What each check is given."""

    settings: Settings
    reader: ExternalReader
    ledger: Ledger
    external: ExternalSettings
    transactions: ExternalTransactions
    terms: Terms
    window: Window | None
    now: datetime


# A check and what it adds to the report's own sections.
Answer = tuple[CheckResult, list[Mapping[str, Any]]]


def reconcile_external(settings: Settings, window: Window | None, deadline: Deadline) -> Report:
    """Hold outside processors' rows against each other. `window` is of the rows' creation; None is
    all times, and a connection's totals are of all times always. Raises nothing that the database
    does: a check that cannot be told says so, and hides no other."""
    started, now = time.monotonic(), datetime.now(UTC)
    sources = Sources(_patient(settings), deadline)
    checks: list[CheckResult] = []
    sections: dict[str, list[Mapping[str, Any]]] = {}
    try:
        for section, id_, title, ask in _CHECKS:
            sections[section] = []
            try:
                result, sections[section] = ask(_asked(settings, sources, window, now))
            except (SourceError, NotConfiguredError) as error:
                result = _not_told(settings, error, now)
            checks.append(replace(result, id=id_, title=title))
    finally:
        sources.close()
    edges = {"since": utc_text(window.since), "until": utc_text(window.until)} if window else None
    return Report(
        command="reconcile external",
        generated_at=now,
        environment=settings.environment,
        checks=tuple(checks),
        duration_ms=round((time.monotonic() - started) * 1000),
        extra={"window": edges, "rounding": ROUNDING, **sections},
    )


def _patient(settings: Settings) -> Settings:
    from msgspec.structs import replace as changed

    from payops.config.section import Duration

    if settings.postgres is None:
        return settings
    limit = Duration(max(settings.postgres.statement_timeout, _STATEMENT_S))
    return changed(settings, postgres=changed(settings.postgres, statement_timeout=limit))


def _asked(settings: Settings, sources: Sources, window: Window | None, now: datetime) -> _Asked:
    external = settings.external
    if external is None or external.transactions is None:
        raise NotConfiguredError(
            "not used here: no outside processors' transactions are mapped",
            hint="map external.transactions and a ledger of kind external",
        )
    wanted = external.transactions.ledger
    ledger = (
        settings.ledgers.get(wanted)
        if wanted
        else next((one for one in settings.ledgers.values() if one.kind == "external"), None)
    )
    if ledger is None:
        raise NotConfiguredError("not used here: no ledger of kind external is mapped")
    terms = Terms.of(
        {str(word): values for word, values in ledger.statuses.items()},
        match_case=ledger.match_case,
        percent=external.transactions.rate_unit == "percent",
        in_minor=ledger.amount_unit == "minor",
    )
    postgres = sources.postgres
    from payops.sources.external import ExternalReader

    reader = ExternalReader(postgres, ledger, external, external.transactions, window)
    return _Asked(settings, reader, ledger, external, external.transactions, terms, window, now)


def _not_told(
    settings: Settings, error: SourceError | NotConfiguredError, now: datetime
) -> CheckResult:
    actions = (Action(error.hint),) if error.hint else ()
    if isinstance(error, NotConfiguredError):
        return CheckResult(Status.SKIP, str(error), as_of=now, actions=actions)
    status = Status[settings.unreachable] if error.does_not_answer else Status.UNKNOWN
    summary = f"could not be told: {error}"
    return CheckResult(status, summary, source="postgres", as_of=now, actions=actions)


# ── totals ───────────────────────────────────────────────────────────────────────────────────────


def _totals(asked: _Asked) -> Answer:
    mapped = asked.external.connections
    if mapped is None:
        raise NotConfiguredError("not used here: external.connections is not mapped")
    rows = asked.reader.sums(mapped, MOST_SUMS + 1)
    more = len(rows) > MOST_SUMS
    if more:  # of the last one perhaps not every row was read
        last = rows[-1].connection
        rows = [row for row in rows if row.connection != last]
    found = judge_totals(rows, asked.terms)
    return _judged_totals(found, asked, mapped, more), [_told_totals(one) for one in found]


def _judged_totals(
    found: Sequence[ConnectionTotals], asked: _Asked, mapped: ExternalConnections, more: bool
) -> CheckResult:
    known = [one for one in found if one.known]
    wrong = [one for one in known if one.differs]
    orphans = [one for one in found if one.is_orphan]
    broken = sum(one.broken for one in found)
    unknown: Counter[str] = Counter()
    for one in found:
        unknown.update(one.unknown)
    paid = sum(one.paid for one in found)
    said = [f"{_many(len(known), 'connection')}{' or more' if more else ''}"]
    if wrong:
        said = [f"{len(wrong):,} of {said[0]} {_s(wrong, 'is', 'are')} not the sum of transactions"]
        said += [words for words in (_signs([one.volume_off for one in wrong]),) if words]
    elif mapped.columns.total_transactions or mapped.columns.total_volume:
        said[0] += f" with {_many(paid, 'completed transaction')}: each total agrees"
    else:
        said[0] += f" with {_many(paid, 'completed transaction')}; no totals are recorded"
    if orphans:
        of = sum(one.paid for one in orphans)
        said.append(f"{_many(of, 'transaction')} of connections that do not exist")
    if broken:
        said.append(f"the net of {broken:,} is not amount less fee")
    if unknown:
        words = ", ".join(repr(raw) for raw, _ in unknown.most_common(3))
        said.append(f"{unknown.total():,} with a status that is not mapped: {words}")
    untold = sum(1 for one in known if one.why_not and not one.unreadable)
    if untold:
        said.append(f"the volume of {untold:,} cannot be compared")
    measured = {
        "differing": len(wrong),
        "orphans": len(orphans),
        "broken": broken,
        "unknown": unknown.total(),
    }
    limits = {
        "differing": DIFFERING,
        "orphans": ORPHANS,
        "broken": BROKEN,
        "unknown": UNKNOWN,
    }
    named = [*orphans, *wrong, *(one for one in found if not one.differs and one.broken)]
    money = [one.volume_off for one in wrong if one.volume_off and one.volume_off.minor]
    lost = [Money(code, minor) for one in orphans for code, minor in one.volume.items()]
    actions = []
    if wrong:
        actions.append(
            Action("Go by the transactions' own sums (-o json: connections) until it is right")
        )
    if orphans:
        actions.append(Action("Find out who removed the connection: its transactions stand alone"))
    return CheckResult(
        worst(limits[name].judge(value) for name, value in measured.items()),
        "; ".join(said),
        source="postgres",
        as_of=asked.now,
        measured={**measured, "connections": len(known), "transactions": paid},
        limits=limits,
        evidence=tuple(
            Evidence(_line_totals(one), "postgres", asked.now, _detail_totals(one))
            for one in named[:_SHOWN]
        ),
        actions=tuple(actions),
        money_at_risk=_at_risk([*money, *lost]),
    )


def _line_totals(one: ConnectionTotals) -> str:
    name = f"connection {one.id}"
    if one.is_orphan:
        volume = ", ".join(str(Money(code, minor)) for code, minor in one.volume.items())
        said = [f"does not exist, and has {_many(one.paid, 'completed transaction')} {volume}"]
    else:
        said = []
        if one.count_off:
            said.append(f"records {one.recorded_count:,} transactions, {one.paid:,} are completed")
        if one.volume_off and one.volume_off.minor and one.recorded_volume:
            counted = Money(one.volume_off.currency, one.volume.get(one.volume_off.currency, 0))
            said.append(f"records {one.recorded_volume}, they add up to {counted}")
    if one.broken:
        said.append(f"the net of {one.broken:,} is not amount less fee")
    said += [words for words in (one.why_not, one.looks_like) if words]
    return f"{name}: {'; '.join(said)}"


def _detail_totals(one: ConnectionTotals) -> Mapping[str, str | int | None]:
    return {"owner": one.owner, "processor": one.processor, "status": one.state}


def _told_totals(one: ConnectionTotals) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "exists": one.known,
        "owner": one.owner,
        "processor": one.processor,
        "status": one.state,
        "recorded": {
            "transactions": one.recorded_count,
            "volume": _told(one.recorded_volume),
        },
        "completed": {
            "transactions": one.paid,
            "volume": _by_currency(one.volume),
            "refunded": _by_currency(one.refunded),
            "fee": _by_currency(one.fee),
            "net": _by_currency(one.net),
        },
        "other_statuses": dict(one.others),
        "unknown_statuses": dict(one.unknown),
        "unreadable_amounts": one.inexact,
        "net_differs": one.broken,
        "difference": {"transactions": one.count_off, "volume": _told(one.volume_off)},
        "differs": one.differs,
        "why_not": one.why_not,
        "looks_like": one.looks_like,
    }


# ── collections ──────────────────────────────────────────────────────────────────────────────────


def _collections(asked: _Asked) -> Answer:
    mapped = asked.external.collections
    if mapped is None:
        raise NotConfiguredError("not used here: external.collections is not mapped")
    rows = asked.reader.collections(mapped, MOST_ROWS + 1)
    counts = asked.reader.collection_counts(mapped)
    judged = (
        judge_collection(
            row,
            asked.terms,
            connections=asked.external.connections is not None,
            amounts=bool(mapped.columns.amount),
        )
        for row in rows[:MOST_ROWS]
    )
    found = [each for each in judged if each is not None]
    result = _judged_collections(found, counts, asked, mapped, len(rows) > MOST_ROWS)
    return result, [_told_collection(one) for one in found]


def _judged_collections(
    found: Sequence[CollectionFinding],
    counts: CollectionCounts,
    asked: _Asked,
    mapped: ExternalCollections,
    more: bool,
) -> CheckResult:
    kinds = Counter(odd for one in found for odd in one.wrong)
    all_of = _many(counts.collections, "collection")
    if found:
        words = ", ".join(f"{count:,} {odd.value}" for odd, count in kinds.most_common())
        bad = f"{len(found):,}{' or more' if more else ''} of {all_of} {_s(found, 'is', 'are')}"
        summary = f"{bad} wrong: {words}"
    else:
        summary = f"{all_of}: each names a transaction that exists and is its own"
    if counts.without_transaction:
        summary += f"; of {counts.without_transaction:,} no transaction is named"
    found = sorted(found, key=lambda one: -abs(one.at_risk.minor) if one.at_risk else 0)
    table, column = mapped.table, mapped.columns.amount
    # A remedy leaves alone what was collected: that money has moved.
    mends = any(Odd.AMOUNT in one.wrong and not one.collection.is_collected for one in found)
    actions = _remedy(asked.settings, table, column, "the amounts") if mends else []
    if found:
        first = found[0].collection
        actions.append(
            Action(
                f"Look at collection {first.id} and do not collect it before it is understood"
                if not first.is_collected
                else f"Look at collection {first.id}: its money has moved already"
            )
        )
    return CheckResult(
        COLLECTIONS.judge(len(found)),
        summary,
        source="postgres",
        as_of=asked.now,
        measured={
            "count": len(found),
            "collections": counts.collections,
            "without_transaction": counts.without_transaction,
            **{odd.value: count for odd, count in kinds.items()},
        },
        limits={"count": COLLECTIONS},
        evidence=tuple(
            Evidence(
                _line_collection(one),
                "postgres",
                asked.now,
                {
                    "collection": one.collection.id,
                    "transaction": one.collection.transaction,
                    "connection": one.collection.connection,
                    "owner": one.collection.owner,
                    "status": one.collection.status,
                },
            )
            for one in found[:_SHOWN]
        ),
        actions=tuple(actions),
        money_at_risk=_at_risk(one.at_risk for one in found),
    )


def _line_collection(one: CollectionFinding) -> str:
    row = one.collection
    words = {
        "transaction_missing": f"names transaction {row.transaction}, which does not exist",
        "connection_missing": f"names connection {row.connection}, which does not exist",
        "other_connection": f"is of connection {row.connection}, its transaction of "
        f"{row.sale_connection}",
        "other_owner": f"asks owner {row.owner}, its connection belongs to "
        f"{row.sale_owner or row.connection_owner}",
        "currency_differs": f"asks {row.currency.upper()}, its transaction is in "
        f"{(row.sale_currency or '?').upper()}",
        "amount_differs": f"asks {one.money or row.amount}, the commission is {one.due}",
        "transaction_not_paid": f"its transaction is {row.sale_status}",
        "collected_twice": f"its transaction's commission was collected {row.times:,} times",
    }
    said = [words[odd.value] for odd in one.wrong]
    asked_for = f" {one.money}" if one.money and "asks" not in said[0] else ""
    return f"collection {row.id}{asked_for}: {'; '.join(said)}"


def _told_collection(one: CollectionFinding) -> Mapping[str, Any]:
    row = one.collection
    return {
        "id": row.id,
        "wrong": [odd.value for odd in one.wrong],
        "transaction": row.transaction,
        "connection": row.connection,
        "owner": row.owner,
        "type": row.type,
        "status": row.status,
        "money": _told(one.money),
        "transaction_connection": row.sale_connection,
        "transaction_owner": row.sale_owner,
        "transaction_status": row.sale_status,
        "due": _told(one.due),
        "difference": _told(one.difference),
    }


# ── commission ───────────────────────────────────────────────────────────────────────────────────


def _commissions(asked: _Asked) -> Answer:
    columns = asked.transactions.columns
    if not columns.commission_rate or not columns.commission_amount:
        raise NotConfiguredError("not used here: no commission_rate and commission_amount mapped")
    rows = asked.reader.commissions(MOST_ROWS + 1)
    counts = asked.reader.commission_counts()
    judged = (judge_commission(row, asked.terms) for row in rows[:MOST_ROWS])
    found = [each for each in judged if each is not None]
    result = _judged_commissions(found, counts, asked, len(rows) > MOST_ROWS)
    return result, [_told_commission(one) for one in found]


def _judged_commissions(
    found: Sequence[CommissionFinding], counts: SaleCounts, asked: _Asked, more: bool
) -> CheckResult:
    wrong = [one for one in found if one.wrong is not Wrong.UNROUNDED]
    unrounded = len(found) - len(wrong)
    said = []
    if wrong:
        kinds = Counter(one.wrong for one in wrong)
        words = ", ".join(f"{count:,} {kind.value}" for kind, count in kinds.most_common())
        bad = f"{len(wrong):,}{' or more' if more else ''} of {_many(counts.paid, 'commission')}"
        said.append(f"{bad} {_s(wrong, 'is', 'are')} not amount x rate: {words}")
        said += [words for words in (_signs([one.difference for one in wrong]),) if words]
    else:
        said.append(f"{_many(counts.paid, 'commission')} reckoned anew, half up: each agrees")
    if unrounded:
        said.append(f"{unrounded:,} {'is' if unrounded == 1 else 'are'} not rounded")
    if counts.without_rate:
        said.append(
            f"{counts.without_rate:,} without a rate (first: transaction "
            f"{counts.first_without_rate})"
        )
    if counts.refund_explains:
        said.append(f"{counts.refund_explains:,} explained by a refund")
    measured = {"count": len(wrong), "unrounded": unrounded, "without_rate": counts.without_rate}
    limits = {"count": COMMISSIONS, "unrounded": UNROUNDED, "without_rate": WITHOUT_RATE}
    ordered = sorted(
        found, key=lambda one: -abs(one.difference.minor) if one.difference else -(10**18)
    )
    column = asked.transactions.columns.commission_amount
    mends = any(not one.sale.collected and one.wrong in _MENDED for one in found)
    actions = _remedy(asked.settings, asked.ledger.table, column, "them") if mends else []
    if wrong and any(one.sale.collected for one in wrong):
        actions.append(Action("Settle by hand what was collected already: no remedy moves it"))
    return CheckResult(
        worst(limits[name].judge(value) for name, value in measured.items()),
        "; ".join(said),
        source="postgres",
        as_of=asked.now,
        measured={
            **measured,
            "transactions": counts.paid,
            "refund_explains": counts.refund_explains,
        },
        limits=limits,
        evidence=tuple(
            Evidence(
                _line_commission(one),
                "postgres",
                asked.now,
                {
                    "transaction": one.sale.id,
                    "reference": one.sale.reference,
                    "connection": one.sale.connection,
                    "rate": one.sale.rate,
                    "collected": one.sale.collected,
                },
            )
            for one in ordered[:_SHOWN]
        ),
        actions=tuple(actions),
        money_at_risk=_at_risk(one.difference for one in wrong),
    )


_MENDED = frozenset({Wrong.DIFFERS, Wrong.MISSING, Wrong.UNROUNDED})


def _line_commission(one: CommissionFinding) -> str:
    sale = one.sale
    head = f"transaction {sale.id}"
    if one.due is None:
        return f"{head}: {one.why}"
    stored = sale.commission if sale.commission is not None else "NULL"
    why = f"; {one.why}" if one.why else ""
    return f"{head}: {sale.amount} x {sale.rate} is {one.due}, stored is {stored}{why}"


def _told_commission(one: CommissionFinding) -> Mapping[str, Any]:
    sale = one.sale
    return {
        "id": sale.id,
        "wrong": one.wrong.value,
        "connection": sale.connection,
        "reference": sale.reference,
        "status": sale.status,
        "currency": sale.currency,
        "amount": sale.amount,
        "rate": sale.rate,
        "stored": sale.commission,
        "due": _told(one.due),
        "difference": _told(one.difference),
        "collected": sale.collected,
        "why": one.why,
    }


# ── what the checks share ────────────────────────────────────────────────────────────────────────


def _remedy(settings: Settings, table: str, column: str, what: str) -> list[Action]:
    """The configured remedies that change this column of this table."""
    return [
        Action(
            f"See what would put {what} right, and apply it when it is",
            f"payops remedy plan {name} --save-plan {name}.json",
        )
        for name, remedy in settings.remedies.items()
        if column and remedy.table == table and f"new_{column}" in remedy.select
    ]


def _signs(amounts: Iterable[Money | None]) -> str:
    """Both signs apart, by currency: they never cancel out."""
    given = [one for one in amounts if one is not None]
    parts = []
    for sign, word in ((1, "too much"), (-1, "too little")):
        sums: Counter[str] = Counter()
        for one in given:
            if one.minor * sign > 0:
                sums[one.currency] += abs(one.minor)
        parts += [f"{Money(code, minor)} {word}" for code, minor in sorted(sums.items())]
    return ", ".join(parts)


def _at_risk(amounts: Iterable[Money | None]) -> tuple[MoneyAtRisk, ...]:
    return total_at_risk(
        Money(one.currency, abs(one.minor)) for one in amounts if one and one.minor
    )


def _told(money: Money | None) -> Mapping[str, Any] | None:
    return None if money is None else {"currency": money.currency, "minor": money.minor}


def _by_currency(sums: Mapping[str, int]) -> list[Mapping[str, Any]]:
    return [{"currency": currency, "minor": minor} for currency, minor in sums.items()]


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _s(rows: Sequence[object], one: str, several: str) -> str:
    return one if len(rows) == 1 else several


_CHECKS: tuple[tuple[str, str, str, Callable[[_Asked], Answer]], ...] = (
    ("connections", "external.totals", "Connections are the sum of their transactions", _totals),
    ("collections", "external.collections", "Collections name what is there", _collections),
    ("transactions", "external.commission", "Commissions are amount x rate", _commissions),
)
