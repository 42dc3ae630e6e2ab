"""From what was asked to the payments that it means: one, several candidates, or a clear no."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from payops.domain.evidence import Action
from payops.domain.money import Money, exponent
from payops.domain.timeline import Entry
from payops.domain.window import Window
from payops.errors import SourceError
from payops.sources.stripe_payment import (
    BalanceLine,
    ChargeObject,
    CustomerObject,
    DisputeObject,
    Intent,
    PayoutObject,
    RefundObject,
    SessionObject,
    StoryEvent,
    id_of,
    path_of,
)
from payops.trace.gather import Subject, named_at_stripe
from payops.trace.gather_ledger import ledgers, meta, rows_by_names
from payops.trace.gather_redis import key_content
from payops.trace.gather_stripe import Page, in_other_mode
from payops.trace.ids import Asked, Kind
from payops.trace.reach import Reach, Unseen
from payops.trace.story import LedgerRow, moment

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources.lookup import NamedRow

RECENT = 5
_NOUNS = {
    Kind.INTENT: "PaymentIntent",
    Kind.CHARGE: "charge",
    Kind.SESSION: "Checkout Session",
    Kind.EVENT: "event",
    Kind.REFUND: "refund",
    Kind.DISPUTE: "dispute",
    Kind.TRANSACTION: "balance transaction",
    Kind.PAYOUT: "payout",
    Kind.CUSTOMER: "customer",
}
_MOST_CANDIDATES = 20
_PAGES_AROUND = 3
# A row is made just before Stripe is asked, or just after it answered.
_NEAR = timedelta(minutes=2)


@dataclass(frozen=True)
class Candidate:
    """A payment that may be meant: how to ask for it, when it was made, what it is."""

    ask: str
    what: str
    at: datetime | None = None
    money: Money | None = None
    status: str = ""


@dataclass(frozen=True)
class Found:
    """What an id means. `subjects` are the payments to trace; without any, `answer` says why, and
    `candidates` what may be meant. `is_` is what the id is. `entries` are of what is no payment
    itself: a payout."""

    is_: str
    subjects: tuple[Subject, ...] = ()
    answer: str = ""
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    unknown: bool = False
    entries: tuple[Entry, ...] = field(default=())


def find(reach: Reach, asked: Asked) -> Found:
    """What was asked for. Raises nothing of a source's."""
    notes = (asked.note,) if asked.note else ()
    if not asked.certain:
        return _local(reach, asked, notes)
    kind = asked.kinds[0]
    if kind in (Kind.LOCAL, Kind.ORDER, Kind.KEY):
        return _local(reach, asked, notes)
    if kind is Kind.EMAIL:
        return _email(reach, asked.value)
    if kind is Kind.CUSTOMER:
        return _customer(reach, asked.value, notes)
    if kind is Kind.REQUEST:
        return _request(reach, asked.value)
    return _stripe(reach, kind, asked.value, notes)


# ── Stripe's ids ─────────────────────────────────────────────────────────────────────────────────


def _stripe(reach: Reach, kind: Kind, id_: str, notes: tuple[str, ...]) -> Found:
    noun = _NOUNS[kind]
    is_ = f"{id_}, a {noun}" if noun[0] not in "aeiou" else f"{id_}, an {noun}"
    try:
        subject, more = _subject(reach, kind, id_)
    except SourceError as error:
        return _absent(reach, kind, id_, is_, error, notes)
    except _NoPaymentError as error:
        return Found(is_, answer=str(error), notes=notes, unknown=True)
    except _SeveralError as error:
        return error.found
    if subject is not None:
        return Found(is_, (subject,), notes=(*notes, *more))
    if kind is not Kind.INTENT:
        # Stripe does not say what it belongs to: our own tables may.
        rows = _rows_naming(reach, kind, id_)
        if rows:
            return Found(is_, (Subject(_intent_of(rows), rows=rows),), notes=notes)
    return Found(
        is_,
        answer=f"what {id_} belongs to could not be told: "
        + ("; ".join(f"{one.source}: {one.why}" for one in reach.unseen) or "nothing names it"),
        unknown=True,
        notes=notes,
    )


def _subject(reach: Reach, kind: Kind, id_: str) -> tuple[Subject | None, tuple[str, ...]]:
    """The payment that an object of Stripe's belongs to. Raises SourceError NOT_FOUND."""
    if kind is Kind.INTENT:
        return Subject(id_), ()
    if kind is Kind.CHARGE:
        charge = reach.stripe(
            "the charge", path_of("charges", id_), ChargeObject, expand=["balance_transaction"]
        )
        if charge is None:
            return None, ()
        intent = id_of(charge.payment_intent)
        return (Subject(intent) if intent else Subject(charge=charge)), ()
    if kind is Kind.SESSION:
        session = reach.stripe(
            "the Checkout Session", path_of("checkout/sessions", id_), SessionObject
        )
        if session is None:
            return None, ()
        return Subject(id_of(session.payment_intent), session=session), ()
    if kind is Kind.EVENT:
        return _of_event(reach, id_)
    if kind is Kind.REFUND:
        refund = reach.stripe("the refund", path_of("refunds", id_), RefundObject)
        return _of_parts(reach, refund)
    if kind is Kind.DISPUTE:
        dispute = reach.stripe("the dispute", path_of("disputes", id_), DisputeObject)
        return _of_parts(reach, dispute)
    if kind is Kind.TRANSACTION:
        line = reach.stripe(
            "the balance transaction", path_of("balance_transactions", id_), BalanceLine
        )
        if line is None:
            return None, ()
        return _of_source(reach, line)
    return _of_payout(reach, id_)


def _of_parts(
    reach: Reach, part: RefundObject | DisputeObject | None
) -> tuple[Subject | None, tuple[str, ...]]:
    if part is None:
        return None, ()
    if id_of(part.payment_intent):
        return Subject(id_of(part.payment_intent)), ()
    if id_of(part.charge):
        return _subject(reach, Kind.CHARGE, id_of(part.charge))
    return None, ()


def _of_source(reach: Reach, line: BalanceLine) -> tuple[Subject | None, tuple[str, ...]]:
    source = id_of(line.source)
    kinds = {"ch": Kind.CHARGE, "py": Kind.CHARGE, "re": Kind.REFUND, "pyr": Kind.REFUND}
    kinds |= {"dp": Kind.DISPUTE, "du": Kind.DISPUTE, "po": Kind.PAYOUT}
    kind = kinds.get(source.partition("_")[0])
    if kind is None:
        raise _NoPaymentError(
            f"{line.id} is a balance transaction of type {line.type or 'unknown'}"
            + (f" made of {source}" if source else "")
            + ": no payment of a customer's"
        )
    subject, notes = _subject(reach, kind, source)
    return subject, (*notes, f"{line.id} is the balance transaction of {source}")


def _of_event(reach: Reach, id_: str) -> tuple[Subject | None, tuple[str, ...]]:
    event = reach.stripe("the event", path_of("events", id_), StoryEvent)
    if event is None:
        return None, ()
    note = f"{id_} is {event.type}"
    if event.payment_intent:
        return Subject(event.payment_intent, event=event), (note,)
    if event.charge:
        subject, notes = _subject(reach, Kind.CHARGE, event.charge)
        return subject, (note, *notes)
    prefix = event.about.partition("_")[0]
    if prefix == "cs":
        subject, notes = _subject(reach, Kind.SESSION, event.about)
        return subject, (note, *notes)
    if prefix == "po":
        return _of_payout(reach, event.about)
    raise _NoPaymentError(f"{note}, about {event.about or 'nothing with an id'}: no payment")


def _of_payout(reach: Reach, id_: str) -> tuple[Subject | None, tuple[str, ...]]:
    payout = reach.stripe("the payout", path_of("payouts", id_), PayoutObject)
    if payout is None:
        return None, ()
    page = reach.stripe(
        "its lines",
        "/v1/balance_transactions",
        Page[BalanceLine],
        payout=id_,
        limit=_MOST_CANDIDATES,
    )
    lines = [line for line in page.data if line.type != "payout"] if page else []
    more = " at least" if page is not None and page.has_more else ""
    raise _SeveralError(
        Found(
            f"{id_}, a payout",
            answer=f"{id_} pays out {Money(payout.currency, payout.amount)} of {len(lines)}"
            f"{more} lines, arrives {moment(payout.arrival_date):%Y-%m-%d}, {payout.status}: "
            "name the payment",
            candidates=tuple(
                Candidate(
                    id_of(line.source) or line.id,
                    line.type,
                    moment(line.created),
                    Money(line.currency, line.amount),
                    line.status,
                )
                for line in lines
            ),
            actions=(
                Action("compare the payout with its lines", "payops reconcile payouts --since 30d"),
            ),
        )
    )


class _NoPaymentError(Exception):
    """What was asked for belongs to no payment; the text says what it is."""


class _SeveralError(Exception):
    """It belongs to several."""

    def __init__(self, found: Found) -> None:
        super().__init__(found.answer)
        self.found = found


def _absent(
    reach: Reach, kind: Kind, id_: str, is_: str, error: SourceError, notes: tuple[str, ...]
) -> Found:
    """Stripe has no such object: of the other mode, of another account, or there is none."""
    rows = _rows_naming(reach, kind, id_)
    other_mode = in_other_mode(error)
    if rows:
        return Found(is_, (Subject(rows=rows, absent=id_, other_mode=other_mode),), notes=notes)
    if kind is Kind.EVENT:
        return Found(
            is_,
            answer=f"Stripe has no event {id_}: it keeps them for 30 days"
            + ("" if not other_mode else ", and has it for keys of the other mode"),
            unknown=True,
            notes=notes,
            actions=(Action("trace its payment: the event log's row of it may name one"),),
        )
    return Found(
        is_, answer=no_such(reach, _NOUNS[kind], id_, other_mode), unknown=True, notes=notes
    )


def no_such(reach: Reach, noun: str, id_: str, other_mode: bool) -> str:
    """Why there is no such object for our key."""
    mode = {True: "live", False: "test", None: "another"}[reach.livemode]
    if other_mode:
        other = {"live": "test", "test": "live"}.get(mode, "the other")
        return (
            f"{id_} exists in {other} mode, and the configured key is a {mode} key: "
            "it is of another environment"
        )
    account = reach.settings.stripe.account if reach.settings.stripe else ""
    return (
        f"Stripe has no {noun} {id_} for this key"
        + (f" (account {account}, {mode} mode)" if account else f" ({mode} mode)")
        + ", and no mapped ledger names it: another account's, or mistyped"
    )


def _rows_naming(reach: Reach, kind: Kind, id_: str) -> tuple[LedgerRow, ...]:
    if kind is Kind.REFUND:
        refunds = rows_by_names(reach, {"processor_ref": [id_]}, "refunds") or ()
        keys = [one.row.payment_key for one in refunds if one.row.payment_key]
        return (rows_by_names(reach, {"id": keys}) or ()) if keys else ()
    if kind in (Kind.INTENT, Kind.CHARGE, Kind.SESSION):
        names = {"processor_ref": [id_], "charge_ref": [id_], "session_ref": [id_]}
        return rows_by_names(reach, names) or ()
    return ()


def _intent_of(rows: tuple[LedgerRow, ...]) -> str:
    return next((ref for row in rows for ref in row.references if ref.startswith("pi_")), "")


# ── a customer, an address ───────────────────────────────────────────────────────────────────────


def _customer(reach: Reach, id_: str, notes: tuple[str, ...]) -> Found:
    """The newest payments of a customer, of Stripe's list and of the ledger's."""
    is_ = f"{id_}, a customer"
    subjects: dict[str, Subject] = {}
    page = None
    try:
        page = reach.stripe(
            "the customer's payments",
            "/v1/payment_intents",
            Page[Intent],
            customer=id_,
            limit=RECENT,
        )
        if page is not None and not page.data:
            reach.stripe("the customer", path_of("customers", id_), CustomerObject)
    except SourceError as error:
        if not _rows_of(reach, "customer_id", id_):
            return Found(
                is_, answer=no_such(reach, "customer", id_, in_other_mode(error)), unknown=True
            )
    for intent in page.data if page is not None else ():
        subjects[intent.id] = Subject(intent.id)
    for row in _rows_of(reach, "customer_id", id_):
        key = _intent_of((row,)) or f"{row.name} {row.key}"
        subjects.setdefault(key, _subject_of_row(reach, (row,)))
    chosen = tuple(subjects.values())[:RECENT]
    if not chosen:
        return Found(is_, answer=f"the customer {id_} has no payments", notes=notes)
    note = f"the {len(chosen)} newest payments of the customer"
    return Found(is_, chosen, notes=(*notes, note))


def _email(reach: Reach, address: str) -> Found:
    is_ = "an e-mail address"
    rows = _rows_of(reach, "customer_email", address)
    if rows:
        subjects = tuple(_subject_of_row(reach, (row,)) for row in rows)
        note = f"the {len(subjects)} newest payments with this address in the ledger"
        return Found(is_, subjects, notes=(note,))
    mapped = any(one.columns.customer_email for one in ledgers(reach).values())
    page = reach.stripe(
        "the customer", "/v1/customers", Page[CustomerObject], email=address, limit=3
    )
    for customer in page.data if page is not None else ():
        found = _customer(reach, customer.id, ("found by Stripe's customer with this address",))
        if found.subjects:
            return found
    where = "in the ledger, nor " if mapped else ""
    missing = "" if mapped else " (no ledger maps customer_email)"
    return Found(
        is_,
        answer=f"no payment with this address {where}at Stripe, which compares the case too"
        + missing,
        unknown=True,
    )


def _rows_of(reach: Reach, word: str, value: str) -> tuple[LedgerRow, ...]:
    """The newest rows whose column `word` holds this value."""
    found: list[LedgerRow] = []
    for name, ledger in ledgers(reach).items():
        if not getattr(ledger.columns, word):
            continue
        rows = reach.ask(
            "postgres", f"the ledger {name}", partial(_newest, reach, ledger, word, value)
        )
        found += [LedgerRow(name, ledger, row) for row in rows or ()]
    found.sort(key=lambda one: (-(one.row.created_us or 0), one.name, one.key))
    return tuple(found[:RECENT])


def _newest(reach: Reach, ledger: Ledger, word: str, value: str) -> list[NamedRow]:
    from payops.sources.ledger_near import rows_newest

    return rows_newest(reach.sources.postgres, ledger, word, value, RECENT)


# ── our own ids ──────────────────────────────────────────────────────────────────────────────────


def _local(reach: Reach, asked: Asked, notes: tuple[str, ...]) -> Found:
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
            _candidate(f"{kind.value}:{value}", rows[0], more=len(rows) - 1)
            for kind, rows in hits.items()
        ),
        notes=notes,
        unknown=True,
    )


def _candidate(ask: str, row: LedgerRow, more: int = 0) -> Candidate:
    what = f"row {row.key} of {row.name}" + (f" and {more} more" if more else "")
    return Candidate(ask, what, row.created, row.money, row.row.status or "")


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
    return Found(is_, tuple(_subject_of_row(reach, tuple(group)) for group in chosen), notes=notes)


def _subject_of_row(reach: Reach, rows: tuple[LedgerRow, ...]) -> Subject:
    found = named_at_stripe(reach, rows)
    if found.intent or found.charge or found.absent or found.session:
        return found
    return Subject(_intent_naming(reach, rows[0]), rows=rows)


def _intent_naming(reach: Reach, row: LedgerRow) -> str:
    """The intent whose metadata names this row, made about when the row was; empty without one.

    A row that names nothing at Stripe may all the same have been charged: the answer was lost.
    """
    names = row.ledger.references
    made = row.created
    if made is None or not (names.local_id or names.order_id):
        return ""
    page = reach.stripe(
        "the payments of that time",
        "/v1/payment_intents",
        Page[Intent],
        created={
            "gte": int((made - _NEAR).timestamp()),
            "lte": int((made + _NEAR).timestamp()),
        },
        limit=100,
    )
    if page is None:
        return ""
    for word, value in (("local_id", row.key), ("order_id", row.row.order_id or "")):
        named = [one for one in page.data if value and meta(one, row.ledger, word) == value]
        if named and (word == "local_id" or len(named) == 1):
            # Of several attempts for one row the one that took money is its own.
            return max(named, key=lambda one: (one.amount_received or 0, one.created, one.id)).id
    return ""


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


# ── a request, an amount with a time ─────────────────────────────────────────────────────────────


def _request(reach: Reach, id_: str) -> Found:
    """Stripe gives no requests: an event of the newest may name it."""
    is_ = f"{id_}, a request to Stripe"
    cursor: dict[str, str] = {}
    for _ in range(_PAGES_AROUND):
        page = reach.stripe(
            "the newest events", "/v1/events", Page[StoryEvent], limit=100, **cursor
        )
        if page is None:
            break
        for event in page.data:
            if event.request_id != id_:
                continue
            if event.payment_intent:
                return Found(
                    is_,
                    (Subject(event.payment_intent, event=event),),
                    notes=(f"{id_} made {event.id} ({event.type})",),
                )
        if not page.has_more or not page.data:
            break
        cursor = {"starting_after": page.data[-1].id}
    return Found(
        is_,
        answer="Stripe's API does not give requests, and none of its newest events names this "
        "one: the Dashboard shows it",
        actions=(Action(f"open {dashboard(reach, 'logs', id_)}"),),
        unknown=True,
    )


def dashboard(reach: Reach, place: str, id_: str) -> str:
    """The page of the Dashboard: of the mode, and of the account where that is known."""
    account = reach.settings.stripe.account if reach.settings.stripe else ""
    parts = [account] if account else []
    if reach.livemode is False:
        parts.append("test")
    return "https://dashboard.stripe.com/" + "/".join([*parts, place, id_])


def around(reach: Reach, amount: Decimal, window: Window) -> Found:
    """Payments of this amount (major units, any currency) made in the window."""
    is_ = f"{amount} between {window.since:%H:%M:%S} and {window.until:%H:%M:%S} UTC"
    found: dict[str, tuple[Subject, Candidate]] = {}
    for name, ledger in ledgers(reach).items():
        stored = _stored(amount, ledger.amount_unit)
        asked = partial(_around, reach, ledger, window, stored)
        for row in reach.ask("postgres", f"the ledger {name}", asked) or []:
            one = LedgerRow(name, ledger, row)
            if _same(one, amount):
                key = _intent_of((one,)) or f"{name} {row.key}"
                found[key] = (
                    _subject_of_row(reach, (one,)) if not found else Subject(rows=(one,)),
                    _candidate(_intent_of((one,)) or f"local:{row.key}", one),
                )
    for intent in _intents_around(reach, amount, window):
        money = Money(intent.currency, intent.amount)
        found.setdefault(
            intent.id,
            (
                Subject(intent.id),
                Candidate(intent.id, "PaymentIntent", moment(intent.created), money, intent.status),
            ),
        )
    if len(found) == 1:
        subject, _ = next(iter(found.values()))
        return Found(is_, (subject,))
    if not found:
        return Found(
            is_,
            answer=f"no payment of {amount} was made from {window.since:%Y-%m-%d %H:%M:%S} to "
            f"{window.until:%Y-%m-%d %H:%M:%S} UTC: a wider --window, or another time zone?",
            unknown=True,
        )
    candidates = sorted(
        (candidate for _, candidate in found.values()),
        key=lambda one: (one.at or datetime.min.replace(tzinfo=UTC), one.ask),
    )
    return Found(
        is_,
        answer=f"{len(found)} payments of {amount} were made in this window: name the one",
        candidates=tuple(candidates),
        unknown=True,
    )


def _around(reach: Reach, ledger: Ledger, window: Window, stored: list[Decimal]) -> list[NamedRow]:
    from payops.sources.ledger_near import rows_around

    return rows_around(reach.sources.postgres, ledger, window, stored, _MOST_CANDIDATES)


def _stored(amount: Decimal, unit: str) -> list[Decimal]:
    """How a ledger may have stored it: its currency is not known yet."""
    if unit == "major":
        return [amount]
    return [scaled for places in (0, 2, 3) if (scaled := amount.scaleb(places)) == int(scaled)]


def _same(row: LedgerRow, amount: Decimal) -> bool:
    wanted = amount.scaleb(exponent(row.currency))
    return wanted in (row.stored, row.charged)


def _intents_around(reach: Reach, amount: Decimal, window: Window) -> list[Intent]:
    found: list[Intent] = []
    cursor: dict[str, str] = {}
    for number in range(_PAGES_AROUND):
        page = reach.stripe(
            "the payments of that time",
            "/v1/payment_intents",
            Page[Intent],
            created={
                "gte": int(window.since.timestamp()),
                "lt": int((window.until + timedelta(seconds=1)).timestamp()),
            },
            limit=100,
            **cursor,
        )
        if page is None:
            break
        found += [one for one in page.data if amount.scaleb(exponent(one.currency)) == one.amount]
        if not page.has_more or not page.data:
            break
        cursor = {"starting_after": page.data[-1].id}
        if number == _PAGES_AROUND - 1:
            reach.note(
                Unseen("stripe", "the payments of that time", "so many that not all were read")
            )
    return found
