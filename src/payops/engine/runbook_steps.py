"""One step of each kind: what it does, and with which outcome it ends."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from payops.domain.duration import human_duration, parse_duration
from payops.domain.money import MoneyAtRisk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.runbook import SINCE_CHANGE, Step
from payops.domain.runbook_run import Place
from payops.domain.status import Status
from payops.engine.runbook_log import RunLog
from payops.engine.runbook_talk import INTERRUPTED, Commands, Person, Ran, Reply, Where, clean
from payops.errors import PayopsError, RefusedError
from payops.runbook.lines import OURS, PLAN, filled, why_not_a_plan, why_not_read_only, words_of

_BY_CODE = (Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN)
_TOLD = 3  # findings that are named; the report has all


@dataclass(frozen=True)
class Done:
    """How a step ended: its outcome, and what was seen, said and changed. `passed`: nothing of it
    was done, and the run goes on behind it."""

    outcome: str
    status: Status | None = None
    seen: str = ""
    answer: str = ""
    money: tuple[MoneyAtRisk, ...] = ()
    changes: tuple[int, ...] = ()
    passed: bool = False


@dataclass(frozen=True)
class Steps:
    """Takes single steps. `values` are put in for names in braces; `auto` asks nobody. `changed` is
    when the run last changed something (aware UTC)."""

    person: Person
    commands: Commands
    log: RunLog
    values: Mapping[str, str]
    auto: bool = False
    changed: datetime | None = None

    def line(self, step: Step) -> str:
        """What the step is about, with every name filled in, for people: where its plan is written
        is of no concern."""
        return filled(step.what, self.values).replace(f" --save-plan {PLAN}", "")

    def take(self, where: Where, *, applying: str = "") -> Done | Reply:
        """Take one step; a Reply where the person wants something else instead (skip, back, quit,
        note). `applying` is a plan of this step that a broken-off run had begun to apply."""
        try:
            match where.step.kind:
                case "check" | "run":
                    return self._looked(where)
                case "wait":
                    return self._waited(where)
                case "ask":
                    return self._asked(where)
                case "tell":
                    return self._told(where)
                case "plan":
                    return self._planned(where, applying)
        except KeyboardInterrupt:
            self.person.tell("broken off; nothing of this step is kept")
            return Reply("note")

    # ── what only reads ──────────────────────────────────────────────────────────────────────────

    def _looked(self, where: Where) -> Done | Reply:
        if not self.auto and (reply := self.person.ready(where)).word != "go":
            return reply
        return self._look(where.step, shown=True)

    def _look(self, step: Step, *, shown: bool) -> Done:
        try:
            if step.kind == "check" or not step.what.startswith(f"{OURS} "):
                report = self.commands.check(self.line(step), since=self._since(step), shown=shown)
                return _judged(step, _status_of(report), report)
            words = self._words(step)
            if why := why_not_read_only(self.commands.read(words)):
                raise RefusedError(f"not run: {why}")
            ran = self.commands.run(words, shown=shown)
        except PayopsError as error:
            self.person.tell(f"could not be asked: {error}")
            return Done("unknown", Status.UNKNOWN, clean(str(error)))
        if ran.code == INTERRUPTED:
            raise KeyboardInterrupt
        if ran.report is not None:
            return _judged(step, _status_of(ran.report), ran.report)
        status = _BY_CODE[ran.code] if ran.code < len(_BY_CODE) else Status.UNKNOWN
        return Done(_outcome(step, status), status, clean(_last_lines(ran.text)))

    def _waited(self, where: Where) -> Done | Reply:
        step = where.step
        if self.auto:  # nothing was repaired, so there is nothing to wait for, or to escalate
            done = self._look(step, shown=True)
            return done if done.outcome == "ok" else replace(done, outcome="timeout", passed=True)
        if (reply := self.person.ready(where)).word != "go":
            return reply
        ends = time.monotonic() + step.timeout_s
        while True:
            done = self._look(step, shown=False)
            word = done.status.value if done.status else "?"
            left = ends - time.monotonic()
            if done.outcome == "ok":
                self.person.tell(f"{word}: {done.seen}")
                return done
            if left <= 0:
                self.person.tell(f"{word}, and {human_duration(step.timeout_s)} are over")
                return Done("timeout", done.status, done.seen, money=done.money)
            told = f"{human_duration(left)} left; {word}: {done.seen}"
            reply = self.person.pause(min(step.every_s, left), told)
            if reply.word not in {"go", "note"}:
                return reply

    # ── what a person does ───────────────────────────────────────────────────────────────────────

    def _asked(self, where: Where) -> Done | Reply:
        reply = self.person.choose(self.line(where.step), where.step.answers)
        if reply.word != "go":
            return reply
        return Done(reply.text, answer=reply.text)

    def _told(self, where: Where) -> Done | Reply:
        reply = self.person.did(where)
        if reply.word not in {"go", "no"}:
            return reply
        seen = ""
        if where.step.seen:
            said = self.person.say("What did you see? ")
            if said.word != "go":
                return said
            seen = clean(said.text)
        return Done("done" if reply.word == "go" else "not_done", seen=seen)

    # ── what is changed ──────────────────────────────────────────────────────────────────────────

    def _planned(self, where: Where, applying: str) -> Done | Reply:
        # Of what the journal names the file's name alone is believed: plans of a run lie in its
        # folder.
        begun = self.log.folder / Path(applying).name
        if applying and begun.is_file():
            self.person.tell("the run broke off while this plan was applied; applied again, what")
            self.person.tell("is done already is not done twice")
            return self._applied(where, begun)
        if (reply := self.person.ready(where)).word != "go":
            return reply
        plan = self._new_file(where.step)
        try:
            words = words_of(where.step.what, {**self.values, "plan": str(plan)})[1:]
            if why := why_not_a_plan(self.commands.read(words)):
                raise RefusedError(f"not run: {why}")
            made = self.commands.run(words, shown=True)
        except PayopsError as error:
            self.person.tell(str(error))
            return Done("failed", seen=clean(str(error)))
        if made.code == INTERRUPTED:
            raise KeyboardInterrupt
        if not plan.is_file():
            return _no_plan(made)
        return self._applied(where, plan)

    def _applied(self, where: Where, plan: Path) -> Done | Reply:
        from payops.engine.planning import load_plan

        try:
            read = load_plan(plan)
        except PayopsError as error:
            self.person.tell(str(error))
            return Done("failed", seen=clean(str(error)))
        # The plan that was shown is the one that is applied, whatever the file becomes meanwhile.
        show = ["apply", "--digest", read.digest, str(plan), "--show", "--brief"]
        shown = self.commands.run(show, shown=True)
        if shown.code != 0:
            return Done("failed", seen=clean(_last_lines(shown.text)))
        if not read.changes:
            self.person.tell("nothing is to be changed")
            return Done("nothing", seen="the plan has no changes")
        while True:
            reply = self.person.agree(plan)
            if reply.word == "no":
                return Done("declined", seen="the plan was shown, and not agreed to")
            if reply.word != "go":
                return reply
            self.log.applying(Place(where.runbook.id, where.step.id), plan)
            ran = self.commands.apply(plan, read.digest)
            if ran.code != INTERRUPTED:
                break
            self.person.tell("the plan was broken off between two changes; the rest is not done")
        outcome = {0: "done", 1: "refused"}.get(ran.code, "failed")
        return Done(
            outcome, seen=clean(_told_of(ran.text)), changes=self.log.changes_of(read.digest)
        )

    def _new_file(self, step: Step) -> Path:
        """A file for this step's plan; one that a plan was written to before is kept."""
        folder = self.log.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 1
        while (path := folder / f"{step.id}-{number}.json").exists():
            number += 1
        return path

    def _since(self, step: Step) -> datetime | None:
        """Where the window of the step's checks begins, where the page says so."""
        if step.since == SINCE_CHANGE:
            return self.changed
        return datetime.now(UTC) - parse_duration(step.since) if step.since else None

    def _words(self, step: Step) -> list[str]:
        return words_of(step.what, self.values)[1:]


def _judged(step: Step, status: Status, report: Report) -> Done:
    return Done(_outcome(step, status), status, _seen(report.checks), money=_money(report.checks))


def _outcome(step: Step, status: Status) -> str:
    if status in step.expect:
        return "ok"
    return "unknown" if status is Status.UNKNOWN else "not_ok"


def _status_of(report: Report) -> Status:
    """The report's status; SKIP where nothing of it is used in this system."""
    if report.checks and all(each.status is Status.SKIP for each in report.checks):
        return Status.SKIP
    return report.status


def _seen(checks: Sequence[CheckResult]) -> str:
    """What the worst of them found, or that all is well."""
    found = sorted(
        (each for each in checks if each.status not in {Status.OK, Status.SKIP}),
        key=lambda each: -each.status.rank,
    )
    told = found[:_TOLD] or ([checks[0]] if len(checks) == 1 else [])
    words = [f"{each.id} {each.status.value}: {each.summary}" for each in told]
    if len(found) > _TOLD:
        words.append(f"and {len(found) - _TOLD} more")
    return clean("; ".join(words) or f"all {len(checks)} are well")


def _money(checks: Iterable[CheckResult]) -> tuple[MoneyAtRisk, ...]:
    """The most that one of them has at risk, by currency: checks count the same payments."""
    most: dict[str, MoneyAtRisk] = {}
    for each in (money for check in checks for money in check.money_at_risk):
        there = most.get(each.currency)
        if there is None or each.minor > there.minor:
            most[each.currency] = each
    return tuple(most.values())


def _last_lines(text: str) -> str:
    """What a command said at its end: its message, where it has one, else the last of its lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    messages = [line.removeprefix(f"{OURS}: ") for line in lines if line.startswith(f"{OURS}: ")]
    return "; ".join(messages[-1:] or lines[-2:])


def _told_of(text: str) -> str:
    """What `payops apply` said of its changes, without where to read more."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "; ".join(line for line in lines[-8:] if line and not line.startswith("journal:"))


def _no_plan(made: Ran) -> Done:
    """What it means that a command wrote no plan: there is nothing to do, or it refused."""
    outcome = {0: "nothing", 1: "refused"}.get(made.code, "failed")
    return Done(outcome, seen=clean(_last_lines(made.text)))
