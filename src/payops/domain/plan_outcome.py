"""What became of one change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from payops.domain.plan import Change, Values


class Result(Enum):
    """The value is the word in the journal and in JSON."""

    DONE = "done"
    ALREADY = "already done"
    WOULD = "would be done"  # a dry run
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the connection was lost while it was committed: the next run looks


@dataclass(frozen=True)
class Outcome:
    """`now` is the row as it is afterwards (None: no row, or it was not looked at), `row` the
    SHA-256 of the whole row's text, of an insert alone. `entry` is its line in the journal."""

    result: Result
    why: str = ""
    now: Values | None = None
    row: str = ""
    entry: int = 0


@dataclass(frozen=True)
class Reread:
    """What the ledger shows of an event that was sent: `moved` is a word of `Moved`, `advice` what
    to do where it should show more."""

    change: str
    event: str
    moved: str
    local_id: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Applied:
    """One run of `payops apply`: what became of each change that was tried, in order.

    `untried` were not reached; `stopped` says why the run ended early, and `interrupted` that
    somebody wanted it to. `reread` is the ledger afterwards, of what was sent alone.
    """

    outcomes: tuple[tuple[Change, Outcome], ...]
    untried: tuple[Change, ...] = ()
    stopped: str = ""
    interrupted: bool = False
    head: str = ""
    reread: tuple[Reread, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 all done or nothing to do, 1 some refused or without effect, 2 failed, 130
        interrupted."""
        results = {outcome.result for _, outcome in self.outcomes}
        if results & {Result.FAILED, Result.UNKNOWN} or (self.stopped and not self.interrupted):
            return 2
        if self.interrupted:
            return 130
        without_effect = any(each.advice for each in self.reread)
        return 1 if Result.REFUSED in results or without_effect else 0

    def count(self, *results: Result) -> int:
        """How many ended so."""
        return sum(outcome.result in results for _, outcome in self.outcomes)


@dataclass(frozen=True)
class Words:
    """How a writer's system is spoken of: what its rows are, and that it went away.

    `stays` tells that what was done once cannot be put back by anybody, so that a rerun need not
    look whether somebody did.
    """

    there: str = "the row has the new values"
    as_before: str = "the row is as it was before"
    not_known: str = (
        "interrupted so long ago that the database cannot tell, and the row is another now"
    )
    away: str = "the database went away: "
    stays: bool = False


def difference(seen: Values, now: Values) -> str:
    """In words, where a row differs from what was seen: `status is paid, the plan saw pending`.

    >>> difference({"status": "pending", "n": None}, {"status": "paid", "n": None})
    "status is 'paid', was 'pending'"
    """
    return "; ".join(
        f"{column} is {shown(now.get(column))}, was {shown(value)}"
        for column, value in seen.items()
        if now.get(column) != value
    )


def same(wanted: Values, now: Values, columns: Sequence[str] | None = None) -> bool:
    """Whether `now` has all the values of `wanted`."""
    return all(
        now.get(column) == wanted[column] for column in (wanted if columns is None else columns)
    )


def shown(value: str | None) -> str:
    """A value of a column for people."""
    return "NULL" if value is None else f"'{value}'"
