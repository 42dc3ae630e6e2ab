"""What the ledgers, the event logs and the audit tables know of one payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from payops.sources.stripe_payment import Intent
from payops.trace.reach import Reach
from payops.trace.story import LedgerRow, Story

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.trace import Audit
    from payops.sources.event_log import LogRow
    from payops.sources.lookup import NamedRow
    from payops.sources.mapped_rows import Texts

_MOST_AUDITS = 50


def ledgers(reach: Reach, kind: str = "payments") -> dict[str, Ledger]:
    """The mapped ledgers of a kind."""
    return {name: one for name, one in reach.settings.ledgers.items() if one.kind == kind}


def rows_by_names(
    reach: Reach, names: Mapping[str, Sequence[str]], kind: str = "payments"
) -> tuple[LedgerRow, ...] | None:
    """Rows of every ledger of the kind by any of these columns; None where none could be asked."""
    found: dict[tuple[str, str], LedgerRow] = {}
    answered = False
    for name, ledger in ledgers(reach, kind).items():
        rows = reach.ask("postgres", f"the ledger {name}", _named(reach, ledger, names))
        if rows is None:
            continue
        answered = True
        for row in rows:
            found[name, row.key] = LedgerRow(name, ledger, row)
    return tuple(found.values()) if answered else None


def _named(
    reach: Reach, ledger: Ledger, names: Mapping[str, Sequence[str]]
) -> Callable[[], list[NamedRow]]:
    def call() -> list[NamedRow]:
        from payops.sources.lookup import rows_named

        return rows_named(reach.sources.postgres, ledger, names)

    return call


def meta(intent: Intent | None, ledger: Ledger, word: str) -> str:
    """What the intent's metadata says of our own row: `local_id` or `order_id`."""
    key = getattr(ledger.references, word)
    value = (intent.metadata or {}).get(key) if intent is not None and key else None
    return str(value) if value not in (None, "") else ""


def read_rows(reach: Reach, story: Story) -> None:
    """The payment's own rows, and those of the same order that belong to other intents.

    A row belongs to the intent that it names; by metadata only where it names none, since the
    metadata of a second attempt names the row as well.
    """
    known = {(one.name, one.key): one for one in story.rows}
    references = [story.intent.id if story.intent is not None else story.reference]
    references += [one.id for one in story.charges]
    sessions = [one.id for one in story.sessions]
    references = [each for each in references if each]
    wanted: dict[str, list[str]] = {
        "processor_ref": [*references, *sessions],
        "charge_ref": references,
        "session_ref": sessions,
    }
    found = rows_by_names(reach, wanted) if any(wanted.values()) else ()
    story.ledger_seen = bool(ledgers(reach)) and found is not None and reach.sees("postgres")
    direct = {(one.name, one.key): one for one in found or ()}
    story.rows = tuple((known | direct).values())
    if not story.rows and story.intent is not None and story.ledger_seen:
        story.rows = _by_metadata(reach, story)
    _orders(reach, story)


def _by_metadata(reach: Reach, story: Story) -> tuple[LedgerRow, ...]:
    """A row that the metadata names, and that names no other intent."""
    mine = {story.intent.id if story.intent else "", *(one.id for one in story.charges)}
    mine |= {one.id for one in story.sessions}
    for word, column in (("local_id", "id"), ("order_id", "order_id")):
        found: list[LedgerRow] = []
        for ledger in ledgers(reach).values():
            value = meta(story.intent, ledger, word)
            if value:
                found += rows_by_names(reach, {column: [value]}) or ()
        for session in story.sessions:
            for ledger in ledgers(reach).values():
                key = ledger.references.session_local_id
                named = (session.metadata or {}).get(key) if key else None
                if named and word == "local_id":
                    found += rows_by_names(reach, {"id": [str(named)]}) or ()
        free = {
            (one.name, one.key): one
            for one in found
            if not one.row.processor_ref or one.row.processor_ref in mine
        }
        if free and (word == "local_id" or len(free) == 1):
            return tuple(free.values())
    return ()


def _orders(reach: Reach, story: Story) -> None:
    """Rows of the same order: a second payment of it may be one too many."""
    orders = {one.row.order_id for one in story.rows if one.row.order_id}
    for ledger in ledgers(reach).values():
        named = meta(story.intent, ledger, "order_id")
        if named:
            orders.add(named)
    if not orders:
        return
    mine = {(one.name, one.key) for one in story.rows}
    found = rows_by_names(reach, {"order_id": sorted(orders)}) or ()
    story.sibling_rows = tuple(one for one in found if (one.name, one.key) not in mine)


def read_refund_rows(reach: Reach, story: Story) -> None:
    """What the ledgers of refunds have of it."""
    story.keeps_refunds = bool(ledgers(reach, "refunds"))
    if not story.keeps_refunds:
        return
    wanted = {
        "payment_id": [one.key for one in story.rows],
        "processor_ref": [one.id for one in story.refunds],
    }
    if any(wanted.values()):
        story.refund_rows = rows_by_names(reach, wanted, "refunds") or ()


def read_log(reach: Reach, story: Story) -> None:
    """What the event logs say of its events."""
    logs = reach.settings.event_logs
    if not logs:
        return

    def call() -> dict[str, list[LogRow]]:
        from payops.sources.event_log import EventLogReader

        found: dict[str, list[LogRow]] = defaultdict(list)
        for log in logs.values():
            for row in (
                EventLogReader(reach.sources.postgres, log)
                .named([event.id for event in story.events])
                .rows
            ):
                found[row.event_id].append(row)
        return found

    told = reach.ask("postgres", "the event log", call)
    story.log_seen = told is not None
    story.logged = {} if told is None else {k: tuple(reversed(v)) for k, v in told.items()}


def read_audits(reach: Reach, story: Story) -> None:
    """Changes of the rows, where an audit table has them."""
    found: list[tuple[str, Texts]] = []
    for name, audit in reach.settings.trace.audits.items():
        keys = [one.key for one in story.rows if one.name == audit.ledger]
        if not keys:
            continue
        told = reach.ask(
            "postgres", f"the audit table {audit.table}", partial(_audited, reach, audit, keys)
        )
        found += [(name, row) for row in told or ()]
        story.shown |= frozenset(audit.shown)
    story.audits = tuple(found)


def _audited(reach: Reach, audit: Audit, keys: Sequence[str]) -> list[Texts]:
    from payops.sources.mapped_rows import rows_by

    words = audit.columns.__struct_fields__
    return rows_by(
        reach.sources.postgres,
        audit.table,
        {word: getattr(audit.columns, word) for word in words},
        "row",
        keys,
        order="at",
        most=_MOST_AUDITS,
        zone=audit.timezone,
        documents={"changes": audit.shown},
    )
