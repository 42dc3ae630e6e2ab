"""What was collected of owners, beside the transactions that it names (S3-32)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.engine.external_asked import MOST_ROWS, Answer, Asked
from payops.engine.external_words import SHOWN, at_risk, either, many, money_json, remedies_of
from payops.errors import NotConfiguredError
from payops.reconcile.external_collection import CollectionFinding, Odd, judge_collection

if TYPE_CHECKING:
    from payops.config.external import ExternalCollections
    from payops.domain.external import CollectionCounts


def collections(asked: Asked) -> Answer:
    """Does each collection name what is there, and its own?"""
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
    asked: Asked,
    mapped: ExternalCollections,
    more: bool,
) -> CheckResult:
    kinds = Counter(odd for one in found for odd in one.wrong)
    all_of = many(counts.collections, "collection")
    if found:
        words = ", ".join(f"{count:,} {odd.value}" for odd, count in kinds.most_common())
        bad = f"{len(found):,}{' or more' if more else ''} of {all_of} {either(found, 'is', 'are')}"
        summary = f"{bad} wrong: {words}"
    else:
        summary = f"{all_of}: each names a transaction that exists and is its own"
    if counts.without_transaction:
        summary += f"; of {counts.without_transaction:,} no transaction is named"
    found = sorted(found, key=lambda one: -abs(one.at_risk.minor) if one.at_risk else 0)
    table, column = mapped.table, mapped.columns.amount
    # A remedy leaves alone what was collected: that money has moved.
    mends = any(Odd.AMOUNT in one.wrong and not one.collection.is_collected for one in found)
    actions = remedies_of(asked.settings, table, column, "the amounts") if mends else []
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
        asked.limits["count"].judge(len(found)),
        summary,
        source="postgres",
        as_of=asked.now,
        measured={
            "count": len(found),
            "collections": counts.collections,
            "without_transaction": counts.without_transaction,
            **{odd.value: count for odd, count in kinds.items()},
        },
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
            for one in found[:SHOWN]
        ),
        actions=tuple(actions),
        money_at_risk=at_risk(one.at_risk for one in found),
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
        "money": money_json(one.money),
        "transaction_connection": row.sale_connection,
        "transaction_owner": row.sale_owner,
        "transaction_status": row.sale_status,
        "due": money_json(one.due),
        "difference": money_json(one.difference),
    }
