"""What speaks for a cause, what speaks against it, and what follows from it.

A symptom is a check with some statuses, and perhaps with something in what it measured. The
symptoms of a scenario are told by its runbook; `payops.diagnosis` holds them against what was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from payops.domain.evidence import Action, Scalar
from payops.domain.money import MoneyAtRisk
from payops.domain.status import Status

TROUBLE = frozenset({Status.WARN, Status.CRIT})
"""What a symptom means where its runbook names no status."""

Operator = Literal["=", "!=", ">=", "<=", ">", "<", "~"]


@dataclass(frozen=True)
class Signal:
    """What one check, class of discrepancy or cause of a loss said.

    `measured` holds the judged values, and `failure` where the source gave no answer: the word of
    `errors.Failure`'s name in lower case (`dns`, `timed_out`). `asked` is False for one that was
    not run.
    """

    check: str
    status: Status
    summary: str = ""
    source: str = ""
    measured: Mapping[str, Scalar] = field(default_factory=dict)
    since: datetime | None = None
    as_of: datetime | None = None
    money: tuple[MoneyAtRisk, ...] = ()
    actions: tuple[Action, ...] = ()
    advisory: bool = False

    @property
    def abnormal(self) -> bool:
        """Whether it wants to be explained. UNKNOWN does: something could not be told."""
        return self.status in (Status.WARN, Status.CRIT, Status.UNKNOWN)

    @property
    def silent(self) -> bool:
        """Whether it tells of nothing but that its source gave no answer."""
        return "failure" in self.measured

    @property
    def answered(self) -> bool:
        """Whether it says anything at all."""
        return self.status not in (Status.SKIP, Status.UNKNOWN)


@dataclass(frozen=True)
class Condition:
    """One thing that must hold of a measured value. An absent value fulfils `!=` alone.

    `~` is a glob over the text; `=` compares texts, numbers as numbers, and a `values` of several
    is any of them.
    """

    name: str
    operator: Operator
    values: tuple[Scalar, ...]

    def holds(self, measured: Mapping[str, Scalar]) -> bool:
        """Whether it holds of what was measured."""
        seen = measured.get(self.name)
        if self.operator == "!=":
            return all(not _equal(seen, each) for each in self.values)
        if seen is None:
            return None in self.values and self.operator == "="
        if self.operator == "=":
            return any(_equal(seen, each) for each in self.values)
        if self.operator == "~":
            return any(fnmatchcase(str(seen), str(each)) for each in self.values)
        return any(_compared(seen, self.operator, each) for each in self.values)


def _equal(seen: Scalar, wanted: Scalar) -> bool:
    if isinstance(seen, bool) or isinstance(wanted, bool) or seen is None or wanted is None:
        return seen is wanted
    if isinstance(seen, (int, float)) and isinstance(wanted, (int, float)):
        return seen == wanted
    return str(seen) == str(wanted)


def _compared(seen: Scalar, operator: str, wanted: Scalar) -> bool:
    if not isinstance(seen, (int, float)) or not isinstance(wanted, (int, float)):
        return False
    if operator == ">=":
        return seen >= wanted
    if operator == "<=":
        return seen <= wanted
    return seen > wanted if operator == ">" else seen < wanted


@dataclass(frozen=True)
class Symptom:
    """A check (or a glob of several) in one of `statuses`, of which all of `where` hold: of what it
    measured, and of its `summary`.

    It counts only together with all of `also` and with none of `unless`. `says` is what it means,
    in the words of the runbook; empty where the check's own summary says it best. A `decisive`
    one for a cause makes it thinkable at all; one against it rules it out.
    """

    check: str
    statuses: frozenset[Status] = TROUBLE
    where: tuple[Condition, ...] = ()
    says: str = ""
    decisive: bool = False
    also: tuple[Symptom, ...] = ()
    unless: tuple[Symptom, ...] = ()

    def names(self, check: str) -> bool:
        """Whether it is about that check."""
        return fnmatchcase(check, self.check)

    def fits(self, signal: Signal) -> bool:
        """Whether one signal shows it, whatever the others say."""
        return (
            self.names(signal.check)
            and signal.status in self.statuses
            and all(one.holds({**signal.measured, "summary": signal.summary}) for one in self.where)
        )

    @property
    def of_silence(self) -> bool:
        """Whether it is about a source that gives no answer."""
        return any(one.name in ("failure", "failed") for one in self.where)

    def shown_by(self, signals: Mapping[str, Signal]) -> tuple[Signal, ...]:
        """As `in_`, without those that tell of nothing but a source's silence, unless that is what
        it is about: a check that could not be asked confirms nothing else."""
        return tuple(one for one in self.in_(signals) if self.of_silence or not one.silent)

    def in_(self, signals: Mapping[str, Signal]) -> tuple[Signal, ...]:
        """The signals that fit; none where what must stand beside it does not."""
        found = tuple(one for one in signals.values() if self.fits(one))
        if not found or not all(each.in_(signals) for each in self.also):
            return ()
        return () if any(each.in_(signals) for each in self.unless) else found


@dataclass(frozen=True)
class Symptoms:
    """What a runbook says of one cause: for it, against it, and neither: what follows from it."""

    confirm: tuple[Symptom, ...] = ()
    refute: tuple[Symptom, ...] = ()
    neutral: tuple[Symptom, ...] = ()


@dataclass(frozen=True)
class Suspect:
    """A scenario that a diagnosis may name: `scenario` by its id, `runbook` is what to run."""

    scenario: str
    runbook: str
    title: str
    severity: str
    symptoms: Symptoms
    actions: tuple[Action, ...] = ()
    narrow: bool = False
    """Whether its runbook repairs a wider cause as well: of two that fit alike, the narrower."""
