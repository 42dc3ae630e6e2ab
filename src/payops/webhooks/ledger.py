"""Whether the ledger already shows what events tell.

Each event is looked up by every name that it has: the PaymentIntent, the Checkout Session, the
charge, and what its metadata says of our own row; a refund by its own id. Asked by id and in
batches, so that neither the window's edges nor the table's size matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.payment import PaymentStatus
from payops.domain.webhook import Moved, PathEvent
from payops.webhooks.told import Book, book_of, ends, rank, refund_word, shows, words_of

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.sources import Sources
    from payops.sources.lookup import StateRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger's row as far as an event is concerned.

    `word` is None for a status that the mapping does not know. `completed_at` is aware UTC.
    """

    key: str
    word: PaymentStatus | None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger shows of one event: `rows` are all that it has of it."""

    moved: Moved
    rows: tuple[Row, ...] = ()

    @property
    def local_id(self) -> str:
        """The row's key; of several the first."""
        return self.rows[0].key if self.rows else ""

    @property
    def state(self) -> str:
        """The row's state in payops' words; of several the first that is mapped."""
        return next((row.word.value for row in self.rows if row.word is not None), "")


def shown(
    settings: Settings, sources: Sources, events: Sequence[PathEvent]
) -> dict[str, tuple[Moved, str]]:
    """What the ledger shows of each event, by its id, and the row's key (empty without one).

    Give all that is known of a payment: a newer event explains a state that an older one does not
    tell. NOT_TOLD where no ledger is mapped. Raises SourceError when the database does not answer,
    NotConfiguredError where a ledger is mapped and no database is.
    """
    found = standings(settings, sources, events)
    return {event: (standing.moved, standing.local_id) for event, standing in found.items()}


def standings(
    settings: Settings, sources: Sources, events: Sequence[PathEvent]
) -> dict[str, Standing]:
    """As `shown`, with the rows."""
    payments = [each for each in settings.ledgers.values() if each.kind == "payments"]
    refunds = [each for each in settings.ledgers.values() if each.kind == "refunds"]
    by_book: dict[Book | None, list[PathEvent]] = defaultdict(list)
    for event in events:
        book = book_of(event)
        if book is Book.REFUNDS and not refunds:
            book = None
        by_book[book if payments else None].append(event)
    found = {event.id: Standing(Moved.NOT_TOLD) for event in by_book[None]}
    if by_book[Book.PAYMENTS]:
        rows = _Rows(sources, payments, by_book[Book.PAYMENTS])
        found |= judge_payments(by_book[Book.PAYMENTS], rows.of, _words(payments))
    if by_book[Book.REFUNDS]:
        rows = _Rows(sources, refunds, by_book[Book.REFUNDS], refunds=True)
        told = judge_refunds(by_book[Book.REFUNDS], rows.of, _words(refunds))
        # A refund without a row is one that we lack only where the payment is ours.
        lacking = [each for each in by_book[Book.REFUNDS] if told[each.id].moved is Moved.NO_ROW]
        ours = _Rows(sources, payments, lacking).of
        found |= told | {event: Standing(Moved.NO) for event in ours}
    return found


def judge_payments(
    events: Iterable[PathEvent],
    rows: Mapping[str, tuple[Row, ...]],
    known: frozenset[PaymentStatus],
) -> dict[str, Standing]:
    """What rows by event show; `known` are the words that the ledger has at all."""
    newer: dict[str, list[PathEvent]] = defaultdict(list)
    found: dict[str, Standing] = {}
    for event in sorted(events, key=lambda each: (each.created, rank(each)), reverse=True):
        told = frozenset(words_of(event)) & known
        its = rows.get(event.id, ())
        words = [row.word for row in its if row.word is not None]
        about = event.payment_intent or event.object_id
        if not told:
            moved = Moved.NOT_TOLD
        elif not its:
            moved = Moved.NO_ROW
        elif not words:
            moved = Moved.NOT_TOLD
        elif any(shows(word, told) for word in words) or any(
            word in words_of(later) for later in newer[about] for word in words
        ):
            moved = Moved.YES
        else:
            moved = Moved.NO
        found[event.id] = Standing(moved, its)
        newer[about].append(event)
    return _without_steps(newer, found)


def _without_steps(
    of_payment: Mapping[str, Sequence[PathEvent]], found: dict[str, Standing]
) -> dict[str, Standing]:
    """A payment whose end the ledger does not show tells nothing of the steps on the way to it:
    what set the row back, or kept it from moving on, is the end's own loss."""
    for events in of_payment.values():
        lacking = [event for event in events if found[event.id].moved is Moved.NO]
        if any(ends(event) for event in lacking):
            for step in lacking:
                if not ends(step):
                    found[step.id] = Standing(Moved.NOT_TOLD, found[step.id].rows)
    return found


def judge_refunds(
    events: Iterable[PathEvent],
    rows: Mapping[str, tuple[Row, ...]],
    known: frozenset[PaymentStatus],
) -> dict[str, Standing]:
    """Likewise of refunds: the row itself shows `created`, its state what ended it."""
    found: dict[str, Standing] = {}
    for event in events:
        its = rows.get(event.id, ())
        told = refund_word(event)
        words = [row.word for row in its if row.word is not None]
        if not its:
            # A failed refund that was never recorded leaves nothing to be put right.
            ended = told in {PaymentStatus.FAILED, PaymentStatus.CANCELED}
            moved = Moved.NOT_TOLD if ended else Moved.NO_ROW
        elif told is None or told not in known:
            moved = Moved.YES
        elif not words:
            moved = Moved.NOT_TOLD
        else:
            # After `succeeded` a refund can still fail, and then that is the newest state.
            moved = Moved.YES if any(_refund_shows(word, told) for word in words) else Moved.NO
        found[event.id] = Standing(moved, its)
    return found


def _refund_shows(found: PaymentStatus, told: PaymentStatus) -> bool:
    later = {PaymentStatus.FAILED, PaymentStatus.CANCELED}
    return found is told or (told is PaymentStatus.SUCCEEDED and found in later)


@dataclass
class _Rows:
    """The rows of some ledgers by event."""

    sources: Sources
    ledgers: Sequence[Ledger]
    events: Sequence[PathEvent]
    refunds: bool = False
    of: Mapping[str, tuple[Row, ...]] = field(init=False)

    def __post_init__(self) -> None:
        from payops.sources.lookup import states_named

        found: dict[str, dict[tuple[int, str], Row]] = defaultdict(dict)
        for number, ledger in enumerate(self.ledgers):
            words = _spelled(ledger)
            for word, names in _names(self.events, refunds=self.refunds).items():
                for row in states_named(self.sources.postgres, ledger, word, list(names)):
                    for event in names[row.name]:
                        found[event][(number, row.key)] = _row(row, ledger, words)
        self.of = {event: tuple(rows.values()) for event, rows in found.items()}


def _names(events: Iterable[PathEvent], *, refunds: bool) -> dict[str, dict[str, list[str]]]:
    """Column of the mapping: name: ids of the events that are about it."""
    wanted: dict[str, dict[str, list[str]]] = {
        word: defaultdict(list)
        for word in ("processor_ref", "session_ref", "charge_ref", "id", "order_id")
    }
    for event in events:
        about = event.object_id
        if refunds:
            wanted["processor_ref"][about].append(event.id)
            continue
        for word, name in (
            ("processor_ref", event.payment_intent),
            ("session_ref", about if about.startswith("cs_") else ""),
            ("charge_ref", about if about.startswith(("ch_", "py_")) else ""),
            ("id", event.named_id),
            # An order may be paid in several payments: its name helps only where nothing else does.
            ("order_id", "" if event.payment_intent else event.named_order),
        ):
            if name:
                wanted[word][name].append(event.id)
    return {word: names for word, names in wanted.items() if names}


def _words(ledgers: Iterable[Ledger]) -> frozenset[PaymentStatus]:
    return frozenset(
        PaymentStatus(word) for ledger in ledgers for word, raws in ledger.statuses.items() if raws
    )


def _spelled(ledger: Ledger) -> dict[str, PaymentStatus]:
    return {
        raw if ledger.match_case else raw.lower(): PaymentStatus(word)
        for word, raws in ledger.statuses.items()
        for raw in raws
    }


def _row(row: StateRow, ledger: Ledger, words: Mapping[str, PaymentStatus]) -> Row:
    raw = row.status or ""
    word = words.get(raw if ledger.match_case else raw.lower())
    completed = None
    if row.completed_us is not None:
        completed = _EPOCH + timedelta(microseconds=row.completed_us)
    return Row(row.key, word, completed)
