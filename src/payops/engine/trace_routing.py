"""Beside a trace: how the payment was routed, and connections to outside processors (S3-20..22)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from payops.domain.duration import parse_moment
from payops.domain.evidence import Action, Evidence
from payops.domain.money import exponent
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.sources.mapped_rows import Texts, rows_by
from payops.trace.found import Found
from payops.trace.ids import Asked, Kind
from payops.trace.routing import (
    Decision,
    RoutingFacts,
    connection_trouble,
    decide,
    decimal_of,
)

if TYPE_CHECKING:
    from msgspec import Struct

    from payops.config.trace import Routing
    from payops.engine.trace import Trace, Traced
    from payops.trace.reach import Reach

_MOST = 20
_SECONDS = 19


def add_routing(reach: Reach, traced: Traced, orders: Sequence[str] = ()) -> None:
    """Add how each payment's sale was routed; without a payment, how the sale of one of `orders`
    would be."""
    routing = reach.settings.trace.routing
    if routing is None:
        return
    sales: dict[str, Trace | None] = {}
    if not traced.traces and not traced.found.candidates:
        sales = dict.fromkeys(orders)
    for each in traced.traces:
        row = each.story.row
        order = row.row.order_id if row else None
        if order and order not in sales:
            sales[order] = each
    for order, of in sales.items():
        facts = _facts_of_sale(reach, routing, order, of)
        if facts is not None:
            _add(reach, routing, traced, order, facts)


def of_kind(reach: Reach, asked: Asked) -> Traced:
    """`barber:3`, `connection:2`: what there is of it, without a payment."""
    from payops.engine.trace import Traced

    routing = reach.settings.trace.routing
    noun = "connection" if asked.kinds[0] is Kind.CONNECTION else "owner"
    if routing is None:
        answer = "trace.routing is not configured: nothing is known of owners and connections"
        return Traced(asked.text, Found(asked.text, answer=answer, unknown=True))
    traced = Traced(asked.text, Found(f"{asked.value}, a {noun}"))
    found = (
        _connection(reach, routing, traced, asked.value)
        if asked.kinds[0] is Kind.CONNECTION
        else _owner(reach, routing, traced, asked.value)
    )
    if not found:
        why = next((one.why for one in reach.unseen), "")
        answer = f"there is no {noun} {asked.value}" if not why else f"not told: {why}"
        return Traced(asked.text, Found(asked.text, answer=answer, unknown=True))
    return traced


def _owner(reach: Reach, routing: Routing, traced: Traced, owner: str) -> bool:
    person = _one(reach, routing.owners.table, routing.owners.columns, "id", owner, routing)
    if person is None:
        return False
    facts = RoutingFacts(
        None,
        person,
        _config(reach, routing, owner),
        _connections(reach, routing, "owner", owner),
        None,
        reach.now,
        reads_config=routing.configs is not None,
    )
    _add(reach, routing, traced, owner, facts)
    return True


def _connection(reach: Reach, routing: Routing, traced: Traced, id_: str) -> bool:
    found = _connections(reach, routing, "id", id_)
    if not found:
        return False
    traced.tables.append(_connection_table(found))
    for one in found:
        trouble = connection_trouble(one, routing)
        said = "; ".join(trouble) or "connected, and it takes payments"
        traced.checks.append(
            CheckResult(
                Status.WARN if trouble else Status.OK,
                f"connection {one.get('id')} ({one.get('processor')}): {said}",
                source="postgres",
                as_of=reach.now,
                id="trace.connection",
                title=f"Connection {one.get('id')}",
                actions=(
                    (Action("hold it against what it took", "payops reconcile external"),)
                    if trouble
                    else ()
                ),
            )
        )
    traced.extra["connections"] = [_shown(one) for one in found]
    return True


def _facts_of_sale(
    reach: Reach, routing: Routing, sale: str, each: Trace | None
) -> RoutingFacts | None:
    row = _one(reach, routing.sales.table, routing.sales.columns, "id", sale, routing)
    if row is None:
        return None
    owner = row.get("owner") or ""
    person = _one(reach, routing.owners.table, routing.owners.columns, "id", owner, routing)
    paid = each.story.row if each is not None else None
    amount = decimal_of(row.get("price"))
    if paid is not None and paid.stored is not None and routing.decides == "amount":
        amount = Decimal(paid.stored).scaleb(-exponent(paid.currency))
    at = (paid.created if paid else None) or _moment(row.get("created_at"), reach.now)
    return RoutingFacts(
        row,
        person,
        _config(reach, routing, owner),
        _connections(reach, routing, "owner", owner),
        amount,
        at or reach.now,
        reads_config=routing.configs is not None,
        by_platform=each is not None and each.story.taken > 0,
    )


def _add(reach: Reach, routing: Routing, traced: Traced, sale: str, facts: RoutingFacts) -> None:
    decision = decide(facts, routing)
    noun, person = routing.sales.name, routing.owners.name
    steps = _steps(facts, decision, noun, person)
    traced.tables.append(
        Table(
            "routing" if not any(t.id == "routing" for t in traced.tables) else f"routing_{sale}",
            f"Routing of {noun} {sale}" if facts.sale else f"Routing for {person} {sale}",
            (Column("step", "Step"), Column("told", "What the tables say", wide=True)),
            tuple(steps),
            note="the decision is reckoned anew by the rules, for the time of the payment",
        )
    )
    if facts.connections:
        traced.tables.append(_connection_table(facts.connections))
    by = f" by {decision.processor}" if decision.processor else ""
    takers = {"platform": "the platform takes it", "outside": f"taken outside{by}"}
    said = takers.get(decision.takes, "nobody takes it: routing raises")
    traced.checks.append(
        CheckResult(
            decision.status,
            f"{noun} {sale}: {said}; {'; '.join((*decision.reasons, *decision.odd))}"
            if facts.sale
            else f"{person} {sale}: {said}; {'; '.join((*decision.reasons, *decision.odd))}",
            source="postgres",
            as_of=reach.now,
            evidence=tuple(Evidence(text, "postgres", reach.now) for text in decision.odd),
            actions=_actions(facts, decision),
            id="trace.routing",
            title=f"Routing of {noun} {sale}" if facts.sale else f"Routing for {person} {sale}",
        )
    )
    traced.extra["routing"] = {
        "sale": _shown(facts.sale),
        "owner": _shown(facts.owner),
        "configuration": _shown(facts.config),
        "connections": [_shown(one) for one in facts.connections],
        "amount": str(facts.amount) if facts.amount is not None else None,
        "at": facts.at,
        "decision": decision.takes,
        "processor": decision.processor or None,
        "connection": decision.connection or None,
        "reasons": list(decision.reasons),
        "odd": list(decision.odd),
        "fees": {
            "commission": str(decision.commission) if decision.commission is not None else None,
            "owner_gets": str(decision.owner_gets) if decision.owner_gets is not None else None,
        },
    }


def _steps(
    facts: RoutingFacts, decision: Decision, noun: str, person: str
) -> list[tuple[str, str]]:
    steps = []
    if facts.sale is not None:
        steps.append((noun, _told(facts.sale)))
    steps.append((person, _told(facts.owner) if facts.owner else "not in the table"))
    steps.append(("configuration", _told(facts.config) if facts.config else "none"))
    steps.append(("connections", str(len(facts.connections)) if facts.connections else "none"))
    by = f" by {decision.processor}" if decision.processor else ""
    steps.append(("decision", decision.takes + by))
    steps += [("because", reason) for reason in decision.reasons]
    steps += [("odd", odd) for odd in decision.odd]
    if decision.commission is not None:
        steps.append(
            (
                "fees",
                f"the platform keeps {decision.commission}, {person} gets {decision.owner_gets}",
            )
        )
    elif decision.takes == "outside":
        steps.append(("fees", "the processor's own; the commission is owed to the platform later"))
    return steps


def _actions(facts: RoutingFacts, decision: Decision) -> tuple[Action, ...]:
    if decision.status is Status.OK or facts.owner is None:
        return ()
    if decision.takes == "nobody":
        return (
            Action("see what would put connections back", "payops remedy list"),
            Action("hold outside processors against their totals", "payops reconcile external"),
        )
    return (Action("see the remedies for configurations", "payops remedy list"),)


def _connection_table(found: Sequence[Texts]) -> Table:
    return Table(
        "connections",
        "Connections to outside processors",
        (
            Column("id", "Connection"),
            Column("processor", "Processor"),
            Column("status", "Status"),
            Column("account", "Account"),
            Column("last_sync", "Last read"),
            Column("payments", "Payments"),
            Column("refunds", "Refunds"),
            Column("errors", "Errors"),
        ),
        tuple(
            (
                one.get("id"),
                one.get("processor"),
                one.get("status"),
                one.get("account"),
                (one.get("last_sync") or "")[:_SECONDS] or None,
                one.get("payments"),
                one.get("refunds"),
                one.get("errors"),
            )
            for one in found
        ),
    )


def _config(reach: Reach, routing: Routing, owner: str) -> Texts | None:
    if routing.configs is None:
        return None
    return _one(reach, routing.configs.table, routing.configs.columns, "owner", owner, routing)


def _connections(reach: Reach, routing: Routing, by: str, value: str) -> Sequence[Texts]:
    if routing.connections is None:
        return ()
    return _rows(reach, routing.connections.table, routing.connections.columns, by, value, routing)


def _one(
    reach: Reach, table: str, columns: Struct, by: str, value: str, routing: Routing
) -> Texts | None:
    return next(iter(_rows(reach, table, columns, by, value, routing)), None)


def _rows(
    reach: Reach, table: str, columns: Struct, by: str, value: str, routing: Routing
) -> list[Texts]:
    words = columns.__struct_fields__
    found = reach.ask(
        "postgres",
        f"the table {table}",
        lambda: rows_by(
            reach.sources.postgres,
            table,
            {word: getattr(columns, word) for word in words},
            by,
            [value],
            order=by,
            most=_MOST,
            zone=routing.naive,
            tolerant=True,
        ),
    )
    return found or []


def _shown(row: Texts | None) -> dict[str, str | None] | None:
    return None if row is None else dict(row)


def _told(row: Texts) -> str:
    return ", ".join(f"{word} {value}" for word, value in row.items() if value is not None)


def _moment(text: str | None, now: datetime) -> datetime | None:
    try:
        return parse_moment(text, now) if text else None
    except ValueError:
        return None
