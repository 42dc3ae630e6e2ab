"""What an incident does to customers and to money, how bad it is, and whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from payops.domain.money import MoneyAtRisk


class Trend(Enum):
    """Where it is going, by what went wrong earlier and later. The value is the word for people."""

    WORSE = "getting worse"
    STEADY = "steady"
    BETTER = "getting better"
    OVER = "over"
    """Nothing new goes wrong, and nothing that stands now keeps it going."""


@dataclass(frozen=True)
class Affected:
    """Payments that one check found; none of them is in another part of the same impact.

    `payments` counts them, `money` is theirs as far as amounts are known, `since` when the first of
    them was.
    """

    what: str
    check: str
    payments: int
    money: tuple[MoneyAtRisk, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class Impact:
    """Payments affected, by currency in minor units, and since when.

    `known` is False where neither the ledger nor the comparison gave an answer: nothing that was
    counted is not nothing. `customers` is None where nothing says who paid. `since` is when the
    first sign of the causes was. `trend` is None where too little happened to tell. `refunds` are
    payments given back, and refunds on which the sides disagree (S2-41). `notes` say what is not
    counted and why.
    """

    payments: int = 0
    money: tuple[MoneyAtRisk, ...] = ()
    customers: int | None = None
    since: datetime | None = None
    trend: Trend | None = None
    parts: tuple[Affected, ...] = ()
    refunds: tuple[Affected, ...] = ()
    notes: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class Reason:
    """Why an incident is as severe as it is said to be, and the row that says so; of a `level` why
    it is that level's (0: of the severity)."""

    text: str
    row: str
    level: int = 0


@dataclass(frozen=True)
class Level:
    """Whom the configuration says to call: `after_s` seconds after the beginning."""

    level: str
    contact: str
    after_s: float = 0.0


@dataclass(frozen=True)
class Escalation:
    """How severe it is and who is to know.

    `severity` is P1 to P4, empty when nothing is wrong. `level` is 1 to 4 as the runbooks count
    (S2-45), 0 when nothing is wrong. `answer_s` is within what time somebody has to be at work on
    it; None is the next business day. `now` are those to be called by now, `next` the one after
    them, at `next_at`. Contacts are the configuration's: of none configured there is none.
    """

    severity: str = ""
    level: int = 0
    reasons: tuple[Reason, ...] = ()
    answer_s: float | None = None
    now: tuple[Level, ...] = ()
    next: Level | None = None
    next_at: datetime | None = None


@dataclass(frozen=True)
class Failing:
    """What the ledger says of an incident's payments.

    `earlier` and `later` count failures by our fault before and after `middle`, half the time of
    the incident; `newest` is the last of them. `customers` counts each customer once, whatever
    happened to them (None: no column says who paid).
    """

    earlier: int = 0
    later: int = 0
    newest: datetime | None = None
    customers: int | None = None
    middle: datetime | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a diagnosis needs to know beside what the checks said.

    `names` are what the configuration has for the names in braces of a runbook's commands
    (`breaker`, `endpoint`, `ledger`). `open_words` and `failed_words` are the ledger's own words of
    payments that nobody has finished and of failed ones, in lower case. `escalate_over` is in minor
    units by currency.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    escalate_over: Mapping[str, int] = field(default_factory=dict)
    open_words: tuple[str, ...] = ()
    failed_words: tuple[str, ...] = ()
    failing: Failing | None = None
