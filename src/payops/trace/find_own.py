"""A row's key, an order, an idempotency key: what an id of our own is, or that it is several."""

from __future__ import annotations

from payops.domain.evidence import Action
from payops.sources.stripe_payment import (
    StoryEvent,
)
from payops.trace.found import (
    RECENT,
    Found,
    candidate,
    subject_of_row,
)
from payops.trace.gather import Subject
from payops.trace.gather_ledger import ledgers, rows_by_names
from payops.trace.gather_redis import key_content
from payops.trace.gather_stripe import Page
from payops.trace.ids import Asked, Kind
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow


def find_own(reach: Reach, asked: Asked, notes: tuple[str, ...]) -> Found:
    """A row's key, an order, an idempotency key: what it is of them, or that it is several."""
    value = asked.value
    columns = {Kind.LOCAL: "id", Kind.ORDER: "order_id", Kind.KEY: "idempotency_key"}
    hits: dict[Kind, tuple[LedgerRow, ...]] = {}
    for kind in asked.kinds:
        if kind is Kind.KEY and not asked.certain and hits:
            continue
        rows = rows_by_names(reach, {columns[kind]: [value]}) or ()
        if rows:
            hits[kind] = rows
    if not hits and Kind.LOCAL in asked.kinds:
        refunds = rows_by_names(reach, {"id": [value]}, "refunds") or ()
        keys = [one.row.payment_key for one in refunds if one.row.payment_key]
        rows = (rows_by_names(reach, {"id": keys}) or ()) if keys else ()
        if rows:
            return _of_rows(reach, f"{value}, a row of {refunds[0].name}", rows, notes)
    if not hits and Kind.KEY in asked.kinds:
        held = key_content(reach, value)
        rows = (rows_by_names(reach, {"id": [held]}) or ()) if held else ()
        if rows:
            note = f"Redis holds {held} under it: the row's key"
            return _of_rows(reach, f"{value}, an idempotency key", rows, (*notes, note))
        if held:
            return Found(
                f"{value}, an idempotency key",
                answer=f"Redis holds {held} under {value}, and no ledger has such a row: "
                "it was begun and never stored",
                notes=notes,
                unknown=True,
            )
    if len(hits) > 1 and _different(hits):
        return _ambiguous(value, hits, notes)
    if not hits:
        outside = _outside(reach, asked)
        if outside is not None:
            return outside
        by_key = _by_events_key(reach, asked) if Kind.KEY in asked.kinds else None
        return by_key or _nothing(reach, asked, notes)
    kind, rows = next(iter(hits.items()))
    word = {
        Kind.LOCAL: f"a row of {rows[0].name}",
        Kind.ORDER: "an order",
        Kind.KEY: "an idempotency key",
    }
    return _of_rows(reach, f"{value}, {word[kind]}", rows, notes)


def _outside(reach: Reach, asked: Asked) -> Found | None:
    """What an outside processor took for it: no payment of Stripe's, so there is nothing to hold
    it against here."""
    names = {"id": [asked.value]} if Kind.LOCAL in asked.kinds else {}
    if Kind.ORDER in asked.kinds:
        names["order_id"] = [asked.value]
    if not asked.certain:
        names["processor_ref"] = [asked.value]
    rows = (rows_by_names(reach, names, "external") or ()) if names else ()
    if not rows or (not asked.certain and len(rows) > RECENT):
        return None
    told = "; ".join(
        f"row {one.key} of {one.name} ({one.row.processor_ref or 'no reference'}), "
        f"{one.money or one.row.amount}, {one.row.status}"
        for one in rows[:RECENT]
    )
    return Found(
        f"{asked.value}, taken by an outside processor",
        answer=f"an outside processor took it: {told}",
        actions=(Action("hold it against its connection's totals", "payops reconcile external"),),
    )


def _different(hits: dict[Kind, tuple[LedgerRow, ...]]) -> bool:
    sets = [{(one.name, one.key) for one in rows} for rows in hits.values()]
    return any(one != sets[0] for one in sets)


def _ambiguous(
    value: str, hits: dict[Kind, tuple[LedgerRow, ...]], notes: tuple[str, ...]
) -> Found:
    words = {Kind.LOCAL: "a row's key", Kind.ORDER: "an order", Kind.KEY: "an idempotency key"}
    meant = " and ".join(words[kind] for kind in hits)
    return Found(
        f"{value}, {meant}",
        answer=f"{value} is {meant}, of different payments: say which one is meant",
        candidates=tuple(
            candidate(f"{kind.value}:{value}", rows[0], more=len(rows) - 1)
            for kind, rows in hits.items()
        ),
        notes=notes,
        unknown=True,
    )


def _of_rows(reach: Reach, is_: str, rows: tuple[LedgerRow, ...], notes: tuple[str, ...]) -> Found:
    """Each payment that these rows are of: rows with the same intent are one."""
    groups: dict[str, list[LedgerRow]] = {}
    for row in sorted(rows, key=lambda one: (one.row.created_us or 0, one.name, one.key)):
        groups.setdefault(next(iter(row.references), f" {row.name} {row.key}"), []).append(row)
    chosen = list(groups.values())[:RECENT]
    more = len(groups) - len(chosen)
    if len(groups) > 1:
        note = f"{len(groups)} payments" + (f": the first {len(chosen)} are traced" if more else "")
        notes = (*notes, note)
    return Found(is_, tuple(subject_of_row(reach, tuple(group)) for group in chosen), notes=notes)


def _by_events_key(reach: Reach, asked: Asked) -> Found | None:
    """The newest events may tell of a request with this Idempotency-Key."""
    if not asked.certain:
        return None
    page = reach.stripe(
        "the newest events", "/v1/events", Page[StoryEvent], type="payment_intent.*", limit=100
    )
    for event in page.data if page is not None else ():
        if event.idempotency_key == asked.value and event.payment_intent:
            return Found(
                f"{asked.value}, an idempotency key",
                (Subject(event.payment_intent),),
                notes=(f"the request of {event.id} had it",),
            )
    return None


def _nothing(reach: Reach, asked: Asked, notes: tuple[str, ...]) -> Found:
    mapped = ", ".join(ledgers(reach)) or "none"
    if not reach.sees("postgres"):
        why = next((u.why for u in reach.unseen if u.source == "postgres"), "not configured")
        return Found(
            asked.value,
            answer=f"{asked.value} is no id of Stripe's, and the database that may know it could "
            f"not be asked: {why}",
            unknown=True,
            notes=notes,
        )
    tried = {Kind.LOCAL: "row", Kind.ORDER: "order", Kind.KEY: "idempotency key"}
    words = ", ".join(tried[kind] for kind in asked.kinds)
    return Found(
        asked.value,
        answer=f"no {words} {asked.value} in the mapped ledgers ({mapped}), and it is no id of "
        "Stripe's (pi_…, ch_…, cs_…, evt_…, re_…, dp_…, txn_…, po_…, cus_…, req_…)",
        unknown=True,
        notes=notes,
    )
