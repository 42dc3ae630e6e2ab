"""One payment's story on one clock: what happened, what should have, and where the sides part.

Every entry says which source told it and when, on our clock: where a source's clock was measured
and differs, the time is moved by that much, and the source's own stands beside it. Entries of one
second are put in the order of cause (`Rank`), since Stripe tells whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum

from payops.domain.evidence import Action, Scalar
from payops.domain.money import Money
from payops.domain.status import Status


class Rank(IntEnum):
    """The order of cause within one second: a row is made, Stripe is asked, acts, tells, is heard,
    and the row moves."""

    KEY = 0
    ROW = 10
    ASKED = 20
    CUSTOMER = 30
    CHARGE = 40
    MONEY = 50
    STATE = 55
    EVENT = 60
    RECEIVED = 70
    DEDUPE = 72
    HANDLED = 80
    MOVED = 90
    EXPECTED = 95
    NOW = 99


class Happened(Enum):
    """Whether an entry is of the past. The value is the word in JSON."""

    YES = "happened"
    DUE = "expected"
    """Not yet, and it is not late."""
    MISSING = "missing"
    """It should have happened by then, and did not."""


@dataclass(frozen=True)
class Move:
    """What an entry moves in the account of the payment.

    `word` is `authorized`, `captured`, `refunded`, `disputed` (both sides' currency is the
    customer's), `fee` or `net` (the currency of settlement).
    """

    word: str
    money: Money


@dataclass(frozen=True)
class Entry:
    """One line of the story.

    `at` is on our clock, aware UTC; `told_at` the source's own where the two clocks differ. `kind`
    is a stable word for programs (`charge.succeeded`, `row.changed`), `id` what it is about,
    `status` the state after it in the source's own word. `detail` is for the ticket.
    """

    at: datetime
    source: str
    kind: str
    what: str
    rank: Rank
    id: str = ""
    status: str = ""
    money: Money | None = None
    moves: tuple[Move, ...] = ()
    happened: Happened = Happened.YES
    told_at: datetime | None = None
    detail: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Clock:
    """A source's clock less ours: `offset_s`, and how exactly that is known (`within_s`)."""

    source: str
    offset_s: float
    within_s: float

    @property
    def skewed(self) -> bool:
        """Whether it differs by more than a second, beyond what the measurement leaves open."""
        return abs(self.offset_s) - self.within_s > 1.0

    @classmethod
    def between(
        cls, source: str, told: datetime, asked: datetime, answered: datetime, step_s: float = 0.0
    ) -> Clock:
        """The offset of a clock that said `told` at some moment from `asked` to `answered`.

        `step_s` is how coarsely it speaks: Stripe's `Date` header has whole seconds.
        """
        least = (told - answered).total_seconds()
        most = (told - asked).total_seconds() + step_s
        return cls(source, (least + most) / 2, (most - least) / 2)


@dataclass(frozen=True)
class Divergence:
    """The first point where the sides disagree.

    `sentence` says it whole. `match_class` is reconcile's word for what is wrong with the pair,
    empty where only the event's way is; `cause` the word of the event's way (`domain.webhook`),
    empty where it is of none. `likely` is the likely reason, `confidence` high, medium or low, by
    what was seen `for_` and `against` it.
    """

    at: datetime
    sentence: str
    severity: Status
    match_class: str = ""
    cause: str = ""
    likely: str = ""
    confidence: str = "low"
    for_: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    money: Money | None = None
    event: str = ""
    source: str = ""


Balances = Mapping[str, Mapping[str, int]]
"""By currency: word -> minor units."""


def on_our_clock(entry: Entry, clocks: Mapping[str, Clock]) -> Entry:
    """The entry with its time moved by its source's offset, where that clock is skewed."""
    clock = clocks.get(entry.source)
    if clock is None or not clock.skewed or entry.happened is not Happened.YES:
        return entry
    from dataclasses import replace

    return replace(entry, at=entry.at - timedelta(seconds=clock.offset_s), told_at=entry.at)


def ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """By whole second, then by cause, then by the exact time; the rest makes it deterministic."""
    return tuple(
        sorted(
            entries,
            key=lambda one: (
                one.at.replace(microsecond=0),
                one.rank,
                one.at,
                one.source,
                one.kind,
                one.id,
                one.what,
            ),
        )
    )


def balances(entries: Iterable[Entry]) -> tuple[Balances, ...]:
    """The account of the payment after each entry, in their order."""
    totals: dict[str, dict[str, int]] = {}
    found: list[Balances] = []
    for entry in entries:
        if entry.happened is Happened.YES:
            for move in entry.moves:
                of = totals.setdefault(move.money.currency, {})
                of[move.word] = of.get(move.word, 0) + move.money.minor
        found.append({currency: dict(of) for currency, of in totals.items()})
    return tuple(found)


def kept(balance: Balances) -> tuple[Money, ...]:
    """What is left of what was captured, by currency: less refunds and disputes."""
    words = {"captured": 1, "refunded": -1, "disputed": -1}
    return tuple(
        Money(currency, sum(sign * of.get(word, 0) for word, sign in words.items()))
        for currency, of in sorted(balance.items())
        if any(word in of for word in words)
    )
