"""Leads a person through a runbook: one step after the other, each written down when it is over.

Nothing is asked or changed here: `Steps` takes the steps, `Person` and `Commands` are given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from payops.config.settings import EscalationLevel
from payops.domain.runbook import AUTOMATIC, ELSEWHERE, ESCALATE, NEXT, Runbook, Step
from payops.domain.runbook_run import NOT_ASKED, SKIPPED, Note, Place, Run, Taken
from payops.domain.status import Status
from payops.engine.runbook_clock import clock, whom_to_call
from payops.engine.runbook_log import RunLog
from payops.engine.runbook_steps import Done, Steps
from payops.engine.runbook_talk import Reply, Where, clean
from payops.errors import PayopsError, UsageError
from payops.runbook.paths import place_after, target_of

_MOST_STEPS = 200
"""Of a run that asks nobody: more, and its waits go round in a ring."""


@dataclass(frozen=True)
class Ground:
    """What a run stands on: `find` gives another runbook, checked, and raises PayopsError where it
    cannot be run; `values` are what is put in for the names in a runbook's braces; `levels` are
    whom to call by the configuration."""

    find: Callable[[str], Runbook]
    values: Callable[[Runbook], Mapping[str, str]]
    levels: Sequence[EscalationLevel]


class Runner:
    """One run, from where it stands to its end, or until the person leaves it."""

    def __init__(self, run: Run, runbook: Runbook, steps: Steps, log: RunLog, ground: Ground):
        self.run = run
        self.runbook = runbook
        self._steps = steps
        self._log = log
        self._ground = ground
        self._person = steps.person
        self._gone_to = {runbook.id}
        for taken in run.taken:
            self._remember(taken)

    def go(self) -> Run:
        """The run as it is when it is over, or was left: then `ended` is empty."""
        again = False  # a note was written, or a thing broken off: the step was shown already
        while (step := self._step()) is not None:
            if self._steps.auto and len(self.run.taken) >= _MOST_STEPS:
                self._person.tell(f"ended after {_MOST_STEPS} steps: its waits go round in a ring")
                break
            began, started = datetime.now(UTC), time.monotonic()
            where = self._where(step)
            if not again:
                self._person.show_step(where)
            done = self._taken(where)
            if isinstance(done, Reply):
                if done.word == "quit":
                    return self.run
                self._replied(step, done)
                again = done.word == "note"
                continue
            again = False
            self._over(where, done, began, time.monotonic() - started)
        return self.run

    def _step(self) -> Step | None:
        wanted = self.run.place.step
        return next((each for each in self.runbook.every_step if each.id == wanted), None)

    def _where(self, step: Step) -> Where:
        steps = self.runbook.every_step
        elapsed = (datetime.now(UTC) - self.run.began).total_seconds()
        return Where(
            runbook=self.runbook,
            step=step,
            number=steps.index(step) + 1,
            of=len(steps),
            clock=clock(elapsed, self.runbook.mttr_s, self._ground.levels),
            line=self._steps.line(step),
        )

    def _taken(self, where: Where) -> Done | Reply:
        if self._steps.auto and where.step.kind not in AUTOMATIC:
            self._person.tell("not done: --auto asks and changes nothing")
            return Done(NOT_ASKED, passed=True)
        applying, self.run = self.run.applying, replace(self.run, applying="")
        done = self._steps.take(where, applying=applying)
        if isinstance(done, Reply) and done.word == "skip":
            return Done(SKIPPED, passed=True)
        return done

    def _replied(self, step: Step, reply: Reply) -> None:
        """A person's word that is no answer: the same step again, or the one before."""
        if reply.word == "note" and reply.text.strip():
            note = Note(datetime.now(UTC), step.id, clean(reply.text, 2000))
            self._log.note(note)
            self.run = replace(self.run, notes=(*self.run.notes, note))
        if reply.word == "back":
            before = [each for each in self.run.taken if each.runbook == self.runbook.id]
            ids = [each.step for each in before]
            if step.id in ids:
                ids = ids[: ids.index(step.id)]
            if not ids:
                self._person.tell("this is the first step")
                return
            place = Place(self.runbook.id, ids[-1])
            self._log.back(place)
            self.run = replace(self.run, place=place)

    def _over(self, where: Where, done: Done, began: datetime, seconds: float) -> None:
        step, runbook = where.step, self.runbook
        target = NEXT if done.passed else target_of(step, done.outcome)
        escalated = ""
        leads_on = place_after(runbook, step, target) == place_after(runbook, step, NEXT)
        if step.kind == "plan" or not leads_on:
            self._person.tell(done.outcome + ("" if leads_on else f", so: {target}"))
        if target == ESCALATE:
            elapsed = (datetime.now(UTC) - self.run.began).total_seconds()
            escalated = whom_to_call(elapsed, self._ground.levels)
            self._person.tell(f"escalate: {escalated}")
        after = self._after(step, target)
        taken = Taken(
            runbook=runbook.id,
            step=step.id,
            kind=step.kind,
            title=step.title or step.id,
            number=where.number,
            of=where.of,
            outcome=done.outcome,
            began=began,
            seconds=seconds,
            status=done.status,
            expected=done.status is None or done.status in step.expect,
            verifies=step in runbook.verify,
            what=clean(where.line),
            seen=done.seen,
            answer=done.answer,
            money=done.money,
            changes=done.changes,
            escalated=escalated,
        )
        taken = replace(taken, entry=self._log.step(taken, after))
        self.run = replace(self.run, taken=(*self.run.taken, taken), place=after)
        self._remember(taken)

    def _remember(self, taken: Taken) -> None:
        """When the run last changed something: what comes after it can be looked at alone."""
        if taken.changes:
            over = taken.began + timedelta(seconds=taken.seconds)
            self._steps = replace(self._steps, changed=over)

    def _after(self, step: Step, target: str) -> Place:
        if target.startswith(ELSEWHERE):
            place = self._elsewhere(target.removeprefix(ELSEWHERE).strip())
            if place is not None:
                return place
            target = NEXT
        following = place_after(self.runbook, step, target)
        return Place(self.runbook.id, following.id if following else "")

    def _elsewhere(self, id_: str) -> Place | None:
        """The beginning of another runbook; None where the run stays in this one."""
        try:
            other = self._ground.find(id_)
            values = self._ground.values(other)
        except PayopsError as error:
            self._person.tell(f"runbook {id_} cannot be run, and this one goes on: {error}")
            return None
        if self._steps.auto and id_ in self._gone_to:
            self._person.tell(f"runbook {id_} was gone through already")
            return None
        self._person.tell(f"this is for runbook {id_}: {other.title}")
        if not self._steps.auto:
            reply = self._person.choose("Go on there?", ("yes", "no"))
            if reply.word == "go" and reply.text == "no":
                return None
        self._gone_to.add(id_)
        self.runbook = other
        self._steps = replace(self._steps, values=values)
        return first_place(other)


def first_place(runbook: Runbook) -> Place:
    """Where a runbook begins."""
    steps = runbook.every_step
    return Place(runbook.id, steps[0].id if steps else "")


def named_place(runbook: Runbook, step: str) -> Place:
    """The place of a step that was named. Raises UsageError for one that is not there."""
    steps = [each.id for each in runbook.every_step]
    if step.isdigit() and 1 <= int(step) <= len(steps):
        step = steps[int(step) - 1]
    if step not in steps:
        raise UsageError(
            f"runbook {runbook.id} has no step {step!r}", hint=f"its steps: {', '.join(steps)}"
        )
    return Place(runbook.id, step)


def verified_by(run: Run) -> tuple[Taken, ...]:
    """What tells how it stands: the steps that verify, each the last time that it was taken.

    Of a runbook that has nothing to verify, all that was looked at.
    """
    last = {(each.runbook, each.step): each for each in run.taken}
    looked = [each for each in last.values() if each.kind in AUTOMATIC]
    return tuple([each for each in looked if each.verifies] or looked)


def verified_status(taken: Taken) -> Status:
    """What such a step says: OK where the page calls what it found well."""
    if taken.status is None:
        return Status.UNKNOWN
    return Status.OK if taken.expected else taken.status
