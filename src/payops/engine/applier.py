"""Applies a plan: one change after the other, each written down before and after.

Killed at any point and run again, each change is done once or not at all, and the journal says
which. Before anything else a run ends what an earlier one left open: the number of the transaction
is in the journal before anything is written, so the database itself can say how it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from payops.domain.plan import Change, Plan
from payops.domain.plan_outcome import Applied, Outcome, Result, Words
from payops.engine.journal import Journal
from payops.engine.journal_past import (
    NOT_DONE,
    NOT_KNOWN,
    Past,
    change_of,
    intent_body,
    outcome_body,
    run_body,
)
from payops.errors import FailedError, RefusedError, SourceError, UsageError

if TYPE_CHECKING:
    from payops.engine.journal_chain import Entry

Told = Callable[[Change, Outcome], None]


_OF_ROWS = Words()


class Writer(Protocol):
    """What applies one change: `payops.sources.writer.PostgresWriter`, and
    `payops.engine.replayer.Replayer`, which sends."""

    @property
    def words(self) -> Words:
        """How its system is spoken of."""
        ...

    def hindrance(self) -> str:
        """Asked before each change that is not done yet: why no more are tried; empty to go on."""
        ...

    def take_lock(self) -> None:
        """Be the only one at work."""

    def still_locked(self) -> None:
        """Raise when that is not so any more."""

    def apply(
        self, change: Change, ready: Callable[[int], None], *, dry_run: bool = False
    ) -> Outcome:
        """One compare-and-set."""
        ...

    def look(self, change: Change) -> Outcome:
        """What applying it would meet."""
        ...

    def ended(self, number: int) -> str:
        """How a transaction ended."""
        ...

    def reconnect(self) -> None:
        """Connect anew for the next call."""


@dataclass(frozen=True)
class Choice:
    """What of a plan is applied: ids that match one of `only`, and at most `limit` changes that
    are not done yet."""

    only: tuple[str, ...] = ()
    limit: int | None = None
    dry_run: bool = False
    forced: bool = False

    def of(self, plan: Plan) -> tuple[Change, ...]:
        """The changes. Raises UsageError when a glob matches none."""
        for glob in self.only:
            if not any(fnmatchcase(change.id, glob) for change in plan.changes):
                known = ", ".join(change.id for change in plan.changes[:3])
                raise UsageError(f"--only {glob!r} matches no change", hint=f"ids: {known}, …")
        return tuple(
            change
            for change in plan.changes
            if not self.only or any(fnmatchcase(change.id, glob) for glob in self.only)
        )


def apply_plan(
    plan: Plan,
    writer: Writer,
    journal: Journal,
    choice: Choice,
    *,
    who: str,
    stop: Callable[[], bool] = lambda: False,
    told: Told = lambda change, outcome: None,
) -> Applied:
    """Apply the chosen changes of a plan that was checked (`payops.engine.target`).

    `stop` is asked between two changes; `told` hears of each as soon as it is over. Raises
    RefusedError when another one is at work, FailedError when the journal cannot be written: both
    before anything is changed.
    """
    chosen = choice.of(plan)
    if choice.dry_run:
        return _Run(plan, writer, journal, choice, 0, told).dry(chosen, stop)
    journal.prepare(2 * len(chosen) + 4)
    writer.take_lock()
    resolve(writer, journal, plan.target.fingerprint)
    begun = journal.append("apply", run_body(plan, len(chosen), who, choice.forced))
    run = _Run(plan, writer, journal, choice, begun["seq"], told)
    return run.all(chosen, stop)


def resolve(writer: Writer, journal: Journal, fingerprint: str) -> list[Entry]:
    """End what interrupted runs left open on this database; the outcomes that were written."""
    written: list[Entry] = []
    for intent in Past(journal.read().entries).open_intents(fingerprint):
        change = change_of(intent)
        ended = writer.ended(int(intent["txid"]))
        outcome, word = _resolved(change, ended, _look(writer, change), writer.words)
        body = outcome_body(intent["run"], intent["plan"], change, outcome, intent["seq"])
        body["result"] = word or outcome.result.value
        written.append(journal.append("outcome", body))
    return written


def _resolved(
    change: Change, ended: str, seen: Outcome, words: Words = _OF_ROWS
) -> tuple[Outcome, str]:
    """What became of an interrupted change, from how its transaction ended and from the row."""
    there = seen.result is Result.ALREADY
    if ended == "committed":
        now = seen.now if there else None
        since = "" if there else "; the row has been changed since"
        why = f"found done after an interruption: its transaction was committed{since}"
        return Outcome(Result.DONE, why, now=now, row=seen.row), ""
    if ended == "aborted":
        return Outcome(Result.FAILED, "interrupted before it was committed"), NOT_DONE
    if there:
        why = f"found done after an interruption: {seen.why if words.stays else words.there}"
        return Outcome(Result.DONE, why, now=seen.now, row=seen.row), ""
    if seen.result is Result.WOULD:
        return Outcome(Result.FAILED, f"interrupted; {words.as_before}"), NOT_DONE
    return Outcome(Result.FAILED, f"{words.not_known}: {seen.why}"), NOT_KNOWN


def _look(writer: Writer, change: Change) -> Outcome:
    """The row as it is; a table that is gone or may not be read is no reason to stop."""
    try:
        return writer.look(change)
    except SourceError as error:
        if error.does_not_answer:
            raise
        return Outcome(Result.FAILED, str(error))


class _Run:
    def __init__(
        self,
        plan: Plan,
        writer: Writer,
        journal: Journal,
        choice: Choice,
        begun: int,
        told: Told,
    ) -> None:
        self._plan, self._writer, self._journal = plan, writer, journal
        self._choice, self._begun, self._told = choice, begun, told
        self._outcomes: list[tuple[Change, Outcome]] = []
        self._intent = 0

    def dry(self, chosen: Sequence[Change], stop: Callable[[], bool]) -> Applied:
        """What would happen; nothing is written anywhere."""
        for n, change in enumerate(chosen):
            if stop() or self._enough():
                return Applied(tuple(self._outcomes), tuple(chosen[n:]), interrupted=stop())
            outcome = self._writer.apply(change, lambda txid: None, dry_run=True)
            self._outcomes.append((change, outcome))
            self._told(change, outcome)
        return Applied(tuple(self._outcomes))

    def all(self, chosen: Sequence[Change], stop: Callable[[], bool]) -> Applied:
        """Every chosen change, until something makes it end."""
        stopped, interrupted = "", False
        done_before = Past(self._journal.read().entries)
        done = done_before.done(self._plan.digest)
        left: Sequence[Change] = ()
        for n, change in enumerate(chosen):
            left = chosen[n:]
            if interrupted := stop():
                break
            if self._enough():
                break
            try:
                self._writer.still_locked()
                if change.id not in done and (stopped := self._writer.hindrance()):
                    break
                if interrupted := stop():  # it may have waited
                    break
                outcome = self._one(change, done.get(change.id), done_before)
            except SourceError as error:
                stopped = f"{self._writer.words.away}{error}"
                break
            except (FailedError, RefusedError) as error:  # the journal
                stopped = f"{error}. {error.hint}"
                break
            self._outcomes.append((change, outcome))
            self._told(change, outcome)
            left = chosen[n + 1 :]
            if outcome.result is Result.UNKNOWN:
                stopped = outcome.why
                break
        return self._end(left, stopped, interrupted)

    def _one(self, change: Change, done: Entry | None, past: Past) -> Outcome:
        self._intent = 0
        if done is not None:
            return self._again(change, done, past)

        def ready(txid: int) -> None:
            body = intent_body(self._begun, self._plan, change, txid)
            self._intent = self._journal.append("intent", body)["seq"]

        outcome = self._writer.apply(change, ready)
        if outcome.result is Result.UNKNOWN:
            outcome = self._after_loss(change, outcome)
        return self._written(change, outcome)

    def _again(self, change: Change, done: Entry, past: Past) -> Outcome:
        """A change that the journal knows as done is never done a second time."""
        entry, at = done["seq"], done["at"]
        if self._writer.words.stays:
            return Outcome(Result.ALREADY, f"done by entry {entry} at {at}", entry=entry)
        seen = self._writer.look(change)
        if undone := past.undone_by(entry):
            why = f"done by entry {entry} and put back by entry {undone}: make a new plan"
            return self._written(change, replace(seen, result=Result.REFUSED, why=why))
        if seen.result is Result.WOULD:
            why = f"done by entry {entry} at {at}, and somebody put it back since: make a new plan"
            return self._written(change, Outcome(Result.REFUSED, why))
        return Outcome(Result.ALREADY, f"done by entry {entry} at {at}", seen.now, entry=entry)

    def _after_loss(self, change: Change, lost: Outcome) -> Outcome:
        """The connection went while it was committed: ask the database how that ended."""
        self._writer.reconnect()
        intent = self._journal.read().entries[self._intent - 1]
        try:
            outcome, word = _resolved(
                change,
                self._writer.ended(int(intent["txid"])),
                _look(self._writer, change),
                self._writer.words,
            )
        except (SourceError, RefusedError):
            return lost
        return replace(outcome, result=Result.FAILED) if word else outcome

    def _written(self, change: Change, outcome: Outcome) -> Outcome:
        body = outcome_body(self._begun, self._plan.digest, change, outcome, self._intent)
        try:
            entry = self._journal.append("outcome", body)
        except (FailedError, RefusedError) as error:
            # The change is as `outcome` says; that it could not be written down ends the run.
            self._outcomes.append((change, outcome))
            self._told(change, outcome)
            raise FailedError(
                f"{change.id} is {outcome.result.value}, and the journal could not say so: "
                f"{error.message}",
                hint="the next apply finds out by looking at the database",
            ) from error
        return replace(outcome, entry=entry["seq"])

    def _enough(self) -> bool:
        limit = self._choice.limit
        tried = sum(outcome.result is not Result.ALREADY for _, outcome in self._outcomes)
        return limit is not None and tried >= limit

    def _end(self, left: Sequence[Change], stopped: str, interrupted: bool) -> Applied:
        tried = {id(change) for change, _ in self._outcomes}
        untried = tuple(change for change in left if id(change) not in tried)
        applied = Applied(tuple(self._outcomes), untried, stopped, interrupted)
        counts = {result.value: applied.count(result) for result in Result if applied.count(result)}
        body = {
            "run": self._begun,
            "plan": self._plan.digest,
            "counts": counts,
            "untried": len(untried),
            "stopped": stopped,
            "interrupted": interrupted,
        }
        try:
            return replace(applied, head=self._journal.append("end", body)["hash"])
        except (FailedError, RefusedError):
            return replace(applied, stopped=applied.stopped or "the journal could not be written")
