"""A connection's record of itself beside its transactions (S3-35)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money
from payops.domain.result import CheckResult
from payops.domain.status import worst
from payops.engine.external_asked import Answer, Asked
from payops.engine.external_words import (
    SHOWN,
    at_risk,
    by_currency,
    either,
    many,
    money_json,
    signs,
)
from payops.errors import NotConfiguredError
from payops.reconcile.external_totals import ConnectionTotals, judge_totals

if TYPE_CHECKING:
    from payops.config.external import ExternalConnections

# Connections, each once for every status and currency of its transactions.
MOST_SUMS = 20_000


def totals(asked: Asked) -> Answer:
    """Is what each connection records of itself what its transactions say?"""
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
    found: Sequence[ConnectionTotals], asked: Asked, mapped: ExternalConnections, more: bool
) -> CheckResult:
    known = [one for one in found if one.known]
    wrong = [one for one in known if one.differs]
    orphans = [one for one in found if one.is_orphan]
    broken = sum(one.broken for one in found)
    unknown: Counter[str] = Counter()
    for one in found:
        unknown.update(one.unknown)
    paid = sum(one.paid for one in found)
    said = [f"{many(len(known), 'connection')}{' or more' if more else ''}"]
    if wrong:
        said = [
            f"{len(wrong):,} of {said[0]} {either(wrong, 'is', 'are')} not the sum of transactions"
        ]
        said += [words for words in (signs([one.volume_off for one in wrong]),) if words]
    elif mapped.columns.total_transactions or mapped.columns.total_volume:
        said[0] += f" with {many(paid, 'completed transaction')}: each total agrees"
    else:
        said[0] += f" with {many(paid, 'completed transaction')}; no totals are recorded"
    if orphans:
        of = sum(one.paid for one in orphans)
        said.append(f"{many(of, 'transaction')} of connections that do not exist")
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
    limits = asked.limits
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
        evidence=tuple(
            Evidence(_line_totals(one), "postgres", asked.now, _detail_totals(one))
            for one in named[:SHOWN]
        ),
        actions=tuple(actions),
        money_at_risk=at_risk([*money, *lost]),
    )


def _line_totals(one: ConnectionTotals) -> str:
    name = f"connection {one.id}"
    if one.is_orphan:
        volume = ", ".join(str(Money(code, minor)) for code, minor in one.volume.items())
        said = [f"does not exist, and has {many(one.paid, 'completed transaction')} {volume}"]
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
            "volume": money_json(one.recorded_volume),
        },
        "completed": {
            "transactions": one.paid,
            "volume": by_currency(one.volume),
            "refunded": by_currency(one.refunded),
            "fee": by_currency(one.fee),
            "net": by_currency(one.net),
        },
        "other_statuses": dict(one.others),
        "unknown_statuses": dict(one.unknown),
        "unreadable_amounts": one.inexact,
        "net_differs": one.broken,
        "difference": {"transactions": one.count_off, "volume": money_json(one.volume_off)},
        "differs": one.differs,
        "why_not": one.why_not,
        "looks_like": one.looks_like,
    }
