"""A run by scripted people and commands: where each outcome leads, and what is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.config.section import Duration
from payops.config.settings import EscalationLevel
from payops.domain.money import MoneyAtRisk
from payops.domain.plan import Caps, Change, Plan, Target, signed
from payops.domain.plan_file import plan_text
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.runbook import Runbook, Step
from payops.domain.runbook_run import Place, Run
from payops.domain.status import Status
from payops.engine.journal import Journal
from payops.engine.runbook_log import RunLog, runs, unfinished
from payops.engine.runbook_run import Ground, Runner, first_place, named_place
from payops.engine.runbook_steps import Steps
from payops.engine.runbook_summary import summary
from payops.engine.runbook_talk import Ran, Reply, Where, clean
from payops.errors import RefusedError, UsageError
from payops.runbook.lines import CommandLine

GO, NO, SKIP, BACK, QUIT = (Reply(word) for word in ("go", "no", "skip", "back", "quit"))
LEVELS = (
    EscalationLevel(level="L1", contact="on call", after=Duration(0)),
    EscalationLevel(level="L2", contact="payments lead", after=Duration(1800)),
)


def answer(text: str) -> Reply:
    return Reply("go", text)


@dataclass
class Scripted:
    """A person who says what was written for them; who is asked more is at a loss."""

    replies: list[Reply]
    heard: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def _next(self) -> Reply:
        assert self.replies, f"asked too much, after {self.shown}"
        return self.replies.pop(0)

    def show_step(self, where: Where) -> None:
        self.shown.append(f"{where.number}/{where.of} {where.step.id}: {where.line}")

    def tell(self, text: str) -> None:
        self.heard.append(text)

    def ready(self, where: Where) -> Reply:
        return self._next()

    def choose(self, question: str, answers: Sequence[str]) -> Reply:
        self.heard.append(question)
        return self._next()

    def did(self, where: Where) -> Reply:
        return self._next()

    def say(self, question: str) -> Reply:
        return self._next()

    def agree(self, plan: Path) -> Reply:
        return self._next()

    def pause(self, seconds: float, text: str) -> Reply:
        return self._next()


@dataclass
class Scripts:
    """Commands whose answers were written for them: statuses for checks, `Ran` for commands."""

    checks: list[Status] = field(default_factory=list)
    ran: list[Ran | Callable[[Sequence[str]], Ran]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    since: list[datetime | None] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def read(self, words: Sequence[str]) -> CommandLine:
        path = tuple(word for word in words if word.isalpha())[:2]
        given = {word: True for word in words if word.startswith("--")}
        return CommandLine(path, given)

    def check(self, ids: str, *, since: datetime | None, shown: bool) -> Report:
        self.lines.append(ids)
        self.since.append(since)
        return report(self.checks.pop(0), id_=ids)

    def run(self, words: Sequence[str], *, shown: bool) -> Ran:
        self.lines.append(" ".join(words))
        made = self.ran.pop(0)
        return made(words) if callable(made) else made

    def apply(self, plan: Path, digest: str) -> Ran:
        self.digests.append(digest)
        return self.run(["apply", plan.name], shown=True)


def report(status: Status, id_: str = "stripe.api", minor: int = 0) -> Report:
    money = (MoneyAtRisk("usd", minor, 1),) if minor else ()
    check = CheckResult(status, "as it is", id=id_, money_at_risk=money)
    return Report("health", datetime.now(UTC), "test", (check,))


def page(*steps: Step, verify: tuple[Step, ...] = (), id_: str = "page") -> Runbook:
    return Runbook(id_, f"About {id_}", mttr_s=1200, steps=steps, verify=verify)


def check(id_: str = "look", **then: str) -> Step:
    return Step(id_, "check", "stripe.api", then=then)


VERIFY = Step("well", "check", "payments.success-rate")
PLAN = Step("close", "plan", "payops circuit reset --save-plan {plan}", why="it helps", risk="none")


@dataclass
class Table:
    """Everything a run needs, in a folder of the test's own."""

    folder: Path
    others: Mapping[str, Runbook] = field(default_factory=dict)

    def log(self, run: str = "r1") -> RunLog:
        return RunLog(Journal(self.folder), run, self.told.append)

    def __post_init__(self) -> None:
        self.told: list[str] = []

    def find(self, id_: str) -> Runbook:
        if id_ not in self.others:
            raise UsageError(f"there is no runbook {id_!r}")
        return self.others[id_]

    def run(
        self,
        runbook: Runbook,
        person: Scripted,
        commands: Scripts,
        *,
        auto: bool = False,
        resumed: Run | None = None,
    ) -> Run:
        log = self.log()
        now = datetime.now(UTC)
        place = first_place(runbook)
        run = resumed or Run("r1", runbook.id, now, now, "ann@host", place, auto=auto)
        if resumed is None:
            log.begin(run)
        at = runbook if run.place.runbook == runbook.id else self.others[run.place.runbook]
        steps = Steps(person, commands, log, {"since": "2h"}, auto)
        ground = Ground(self.find, lambda page: {"since": "2h"}, LEVELS)
        return Runner(run, at, steps, log, ground).go()

    def entries(self) -> tuple[dict[str, object], ...]:
        chain = Journal(self.folder).read()
        assert chain.broken is None
        return chain.entries


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "state")


def ways(run: Run) -> list[tuple[str, str]]:
    return [(each.step, each.outcome) for each in run.taken]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.OK, "ok"),
        (Status.SKIP, "ok"),
        (Status.WARN, "not_ok"),
        (Status.CRIT, "not_ok"),
        (Status.UNKNOWN, "unknown"),
    ],
)
def test_what_a_check_ends_with(table: Table, status: Status, expected: str) -> None:
    run = table.run(page(check()), Scripted([GO]), Scripts([status]))
    assert ways(run) == [("look", expected)]
    assert run.place.step == ""


def test_each_outcome_leads_where_the_page_says(table: Table) -> None:
    runbook = page(
        check("a", not_ok="c"),
        check("b"),
        check("c", ok="verify"),
        check("d"),
        verify=(VERIFY,),
    )
    run = table.run(runbook, Scripted([GO] * 3), Scripts([Status.CRIT, Status.OK, Status.OK]))
    assert ways(run) == [("a", "not_ok"), ("c", "ok"), ("well", "ok")]
    run = table.run(
        page(check("a", ok="end"), verify=(VERIFY,)), Scripted([GO]), Scripts([Status.OK])
    )
    assert ways(run) == [("a", "ok")]


def test_escalation_names_whom_the_configuration_names_and_goes_on(table: Table) -> None:
    person = Scripted([GO, GO])
    run = table.run(
        page(check("a", not_ok="escalate"), check("b")), person, Scripts([Status.CRIT, Status.OK])
    )
    assert ways(run) == [("a", "not_ok"), ("b", "ok")]
    assert run.taken[0].escalated == "call L2 payments lead"
    assert "escalate: call L2 payments lead" in person.heard


def test_a_question_and_an_instruction(table: Table) -> None:
    ask = Step("ask", "ask", "Deployed since {since}?", answers=("yes", "no"), then={"no": "tell"})
    runbook = page(ask, check("b"), Step("tell", "tell", "Restart it", seen=True))
    person = Scripted([answer("no"), NO, answer("it is\x1b[2J gone, sk_live_abcdefghijklmnopqrst")])
    run = table.run(runbook, person, Scripts())
    assert ways(run) == [("ask", "no"), ("tell", "not_done")]
    assert person.heard[0] == "Deployed since 2h?"
    assert "\x1b" not in run.taken[1].seen
    assert "abcdefghijkl" not in str(table.entries())


def test_an_answer_may_be_called_as_what_a_run_says_itself(table: Table) -> None:
    ask = Step("ask", "ask", "Which?", answers=("skipped", "not asked"), then={"skipped": "c"})
    run = table.run(
        page(ask, check("b"), check("c")), Scripted([answer("skipped"), SKIP]), Scripts()
    )
    assert ways(run) == [("ask", "skipped"), ("c", "skipped")]


def test_a_person_goes_past_back_and_leaves(table: Table) -> None:
    runbook = page(check("a"), check("b"), check("c"))
    person = Scripted([BACK, GO, SKIP, BACK, GO, Reply("note", "called ann"), QUIT])
    run = table.run(runbook, person, Scripts([Status.OK, Status.OK]))
    assert ways(run) == [("a", "ok"), ("b", "skipped"), ("b", "ok")]
    assert run.place.step == "c"
    assert "this is the first step" in person.heard
    assert [(each.step, each.text) for each in run.notes] == [("c", "called ann")]
    assert person.shown.count("3/3 c: stripe.api") == 2  # a note shows the step no second time


TARGET = Target("redis", "test", "db 0", "0" * 16)
CHANGE = Change("x", "circuit.reset", "stripe", {"name": "a"}, {"k": "1"}, {"k": None}, "DEL", "y")
REAL = signed(Plan("payops circuit reset", datetime.now(UTC), 3600, TARGET, (CHANGE,), Caps(9)))
EMPTY = signed(Plan("payops circuit reset", datetime.now(UTC), 3600, TARGET, (), Caps(9)))


def written(words: Sequence[str], plan: Plan) -> Ran:
    Path(words[words.index("--save-plan") + 1]).write_text(plan_text(plan))
    return Ran(0)


def made(words: Sequence[str]) -> Ran:
    """A command that writes a plan."""
    return written(words, REAL)


def empty(words: Sequence[str]) -> Ran:
    """One that writes a plan without a change."""
    return written(words, EMPTY)


@pytest.mark.parametrize(
    ("ran", "replies", "expected"),
    [
        ([made, Ran(0), Ran(0, text="done x\n1 done\njournal: y\n")], [GO, GO], "done"),
        ([made, Ran(0), Ran(1)], [GO, GO], "refused"),
        ([made, Ran(0), Ran(2)], [GO, GO], "failed"),
        ([made, Ran(0), Ran(3)], [GO, GO], "failed"),
        ([made, Ran(0), Ran(130), Ran(0)], [GO, GO, GO], "done"),
        ([made, Ran(0)], [GO, NO], "declined"),
        ([made, Ran(3)], [GO], "failed"),
        ([empty, Ran(0)], [GO], "nothing"),
        ([made, Ran(0)], [GO, SKIP], "skipped"),
        ([Ran(0, text="nothing to do")], [GO], "nothing"),
        ([Ran(1)], [GO], "refused"),
        ([Ran(2)], [GO], "failed"),
        ([Ran(3)], [GO], "failed"),
    ],
)
def test_what_a_plan_ends_with(
    table: Table, ran: list[Ran], replies: list[Reply], expected: str
) -> None:
    commands = Scripts(ran=[*ran])
    run = table.run(page(PLAN), Scripted(replies), commands)
    assert ways(run) == [("close", expected)]
    assert not commands.ran
    if expected == "done":
        assert "journal" not in run.taken[0].seen


def test_the_plan_that_was_shown_is_the_one_that_is_applied(table: Table) -> None:
    def swapped(words: Sequence[str]) -> Ran:
        Path(words[3]).write_text(plan_text(EMPTY))  # somebody else's, while it is being read
        return Ran(0)

    commands = Scripts(ran=[made, swapped, Ran(1)])
    table.run(page(PLAN), Scripted([GO, GO]), commands)
    assert commands.lines[1].split()[1:3] == ["--digest", REAL.digest]
    assert commands.digests == [REAL.digest]


def test_what_is_no_plan_is_not_applied(table: Table) -> None:
    def edited(words: Sequence[str]) -> Ran:
        Path(words[words.index("--save-plan") + 1]).write_text(
            plan_text(REAL).replace("stripe", "strype")
        )
        return Ran(0)

    run = table.run(page(PLAN), Scripted([GO]), Scripts(ran=[edited]))
    assert ways(run) == [("close", "failed")]


def test_a_page_that_changed_since_it_was_checked_changes_nothing(table: Table) -> None:
    """The words are looked at again before they run: a page may be edited under a run."""
    commands = Scripts()
    runbook = page(
        Step("a", "run", "payops circuit reset"), Step("b", "plan", "payops apply {plan}")
    )
    run = table.run(runbook, Scripted([GO, GO]), commands)
    assert ways(run) == [("a", "unknown"), ("b", "failed")]
    assert commands.lines == []


def test_a_wait_looks_until_it_is_well(table: Table) -> None:
    wait = Step("wait", "wait", "circuit.state", timeout_s=60, every_s=1)
    commands = Scripts([Status.CRIT, Status.CRIT, Status.OK])
    assert ways(table.run(page(wait), Scripted([GO, GO, GO]), commands)) == [("wait", "ok")]
    over = Step("wait", "wait", "circuit.state", timeout_s=0)
    run = table.run(page(over), Scripted([GO]), Scripts([Status.CRIT]))
    assert ways(run) == [("wait", "timeout")]
    left = table.run(page(wait), Scripted([GO, SKIP]), Scripts([Status.CRIT]))
    assert ways(left) == [("wait", "skipped")]


def test_nobody_is_asked_with_auto_and_nothing_changed(table: Table) -> None:
    runbook = page(
        Step("ask", "ask", "Which?", answers=("a", "b"), then={"a": "end"}),
        Step("tell", "tell", "Do it"),
        PLAN,
        Step("wait", "wait", "circuit.state", then={"timeout": "escalate"}),
        verify=(VERIFY,),
    )
    commands = Scripts([Status.CRIT, Status.WARN])
    run = table.run(runbook, Scripted([]), commands, auto=True)
    assert ways(run) == [
        ("ask", "not asked"),
        ("tell", "not asked"),
        ("close", "not asked"),
        ("wait", "timeout"),
        ("well", "not_ok"),
    ]
    assert not any(each.escalated for each in run.taken)
    assert summary(run, runbook, "test").status is Status.WARN
    assert unfinished(table.entries()) is None


def test_auto_ends_though_its_waits_go_round(table: Table) -> None:
    wait = Step("wait", "wait", "circuit.state", then={"ok": "wait"})
    run = table.run(page(wait), Scripted([]), Scripts([Status.OK] * 300), auto=True)
    assert len(run.taken) == 200


def test_another_runbook(table: Table) -> None:
    other = page(check("z"), verify=(VERIFY,), id_="other")
    table.others = {"other": other}
    runbook = page(check("a", not_ok="runbook:other"), check("b"))
    commands = Scripts([Status.CRIT, Status.OK, Status.OK])
    run = table.run(runbook, Scripted([GO, answer("yes"), GO, GO]), commands)
    assert [(each.runbook, each.step) for each in run.taken] == [
        ("page", "a"),
        ("other", "z"),
        ("other", "well"),
    ]
    stays = table.run(runbook, Scripted([GO, answer("no"), GO]), Scripts([Status.CRIT, Status.OK]))
    assert ways(stays) == [("a", "not_ok"), ("b", "ok")]
    table.others = {}
    person = Scripted([GO, GO])
    lost = table.run(runbook, person, Scripts([Status.CRIT, Status.OK]))
    assert ways(lost) == [("a", "not_ok"), ("b", "ok")]
    assert any("cannot be run, and this one goes on" in each for each in person.heard)


def test_it_goes_on_after_the_last_step_that_was_finished(table: Table) -> None:
    other = page(check("z"), check("y"), id_="other")
    table.others = {"other": other}
    runbook = page(check("a"), check("b", not_ok="runbook:other"), check("c"))
    table.run(runbook, Scripted([GO, Reply("note", "n"), QUIT]), Scripts([Status.OK]))
    left = unfinished(table.entries(), "page")
    assert left is not None
    assert (left.place.step, ways(left), left.notes[0].text) == ("b", [("a", "ok")], "n")
    assert unfinished(table.entries(), "another") is None

    replies = [GO, answer("yes"), GO, QUIT]
    commands = Scripts([Status.CRIT, Status.OK])
    table.run(runbook, Scripted(replies), commands, resumed=left)
    left = unfinished(table.entries())
    assert left is not None
    assert (left.place.runbook, left.place.step, len(left.taken)) == ("other", "y", 3)
    table.run(runbook, Scripted([GO]), Scripts([Status.OK]), resumed=left)
    table.log().end("page", "OK")
    assert unfinished(table.entries()) is None
    (whole,) = runs(table.entries())
    assert [each.step for each in whole.taken] == ["a", "b", "z", "y"]


def test_a_plan_that_was_being_applied_is_applied_again(table: Table) -> None:
    def dies(words: Sequence[str]) -> Ran:
        raise SystemExit

    commands = Scripts(ran=[made, Ran(0), dies])
    with pytest.raises(SystemExit):
        table.run(page(PLAN), Scripted([GO, GO]), commands)
    left = unfinished(table.entries())
    assert left is not None
    assert (left.place.step, Path(left.applying).name) == ("close", "close-1.json")
    again = Scripts(ran=[Ran(0), Ran(0)])
    run = table.run(page(PLAN), Scripted([GO]), again, resumed=left)
    assert ways(run) == [("close", "done")]
    assert again.lines[0].endswith("close-1.json --show --brief")
    assert again.lines[1] == "apply close-1.json"


def test_a_plan_that_lies_elsewhere_is_not_one_of_this_run(table: Table, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.json"
    theirs.write_text(plan_text(REAL))
    log, now = table.log(), datetime.now(UTC)
    log.begin(Run("r1", "page", now, now, "ann@host", Place("page", "close")))
    log.applying(Place("page", "close"), theirs)
    left = unfinished(table.entries())
    assert left is not None
    commands = Scripts(ran=[empty, Ran(0)])
    assert ways(table.run(page(PLAN), Scripted([GO]), commands, resumed=left)) == [
        ("close", "nothing")
    ]
    assert str(theirs) not in " ".join(commands.lines)


@pytest.mark.parametrize(
    "forged",
    [
        {"runbook_run": "../../../tmp/x"},
        {"began": None},
        {"began": "yesterday"},
        {"began": "2026-02-11T09:00:00"},
        {"next": {"runbook": "page", "step": 7}},
        {"next": {"runbook": "page", "where": "there"}},
        {"parameters": {"since": ["--yes"]}},
        {"parameters": ["since"]},
        {"operator": {"name": "ann"}},
    ],
)
def test_a_run_that_somebody_else_wrote_down_is_none(table: Table, forged: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    table.log("r2").begin(Run("r2", "page", now, now, "ann@host", Place("page", "a")))
    (whole,) = table.entries()
    assert [each.id for each in runs([whole])] == ["r2"]
    assert runs([{**whole, **forged}]) == ()


@pytest.mark.parametrize(
    "forged",
    [
        {"event": "step", "step": "a"},
        {"event": "step", "next": "nowhere"},
        {"event": "note"},
        {"event": "applying", "plan_file": 7},
        {"event": "end", "result": ["OK"]},
    ],
)
def test_a_run_that_somebody_else_went_on_with_is_none(
    table: Table, forged: dict[str, Any]
) -> None:
    table.run(page(check("a"), check("b")), Scripted([GO, QUIT]), Scripts([Status.OK]))
    entries = table.entries()
    assert len(runs(entries)) == 1
    last = {"kind": "runbook", "runbook_run": "r1", "at": entries[-1]["at"], **forged}
    assert runs([*entries, last]) == ()


def test_the_ticket_names_nobody() -> None:
    said = clean("paid by ann.lee@example.com\n with sk_live_abcdefghijklmnop \x1b[2J")
    assert said == "paid by [e-mail] with sk_live_…mnop \\x1b[2J"


def test_two_people_do_not_go_on_with_one_run(table: Table) -> None:
    first, second = table.log(), table.log()
    first.hold()
    with pytest.raises(RefusedError, match="under way in another terminal"):
        second.hold()
    first.free()
    second.hold()
    second.free()


def test_a_journal_that_cannot_be_used_stops_no_reading(table: Table) -> None:
    table.folder.mkdir(parents=True)
    (table.folder / "journal.jsonl").write_text('{"seq": 7}\n')
    run = table.run(page(check("a"), check("b")), Scripted([GO, GO]), Scripts([Status.OK] * 2))
    assert len(run.taken) == 2
    (told,) = table.told
    assert "this run is not written down, and cannot be resumed" in told


def test_checks_may_look_at_what_came_after_the_change(table: Table) -> None:
    after = Step("b", "check", "payments.success-rate", since="change")
    before = Step("a", "check", "payments.success-rate", since="10m")
    commands = Scripts([Status.OK, Status.OK])
    commands.ran = [made, Ran(0), Ran(0)]
    log = Journal(table.folder)

    def changes(words: Sequence[str]) -> Ran:
        log.append("outcome", {"result": "done", "change": "x", "plan": REAL.digest})
        return Ran(0)

    commands.ran[2] = changes
    run = table.run(page(before, PLAN, after), Scripted([GO] * 4), commands)
    ten, change = commands.since
    assert ten is not None
    assert change is not None
    assert timedelta(minutes=9) < datetime.now(UTC) - ten < timedelta(minutes=11)
    assert datetime.now(UTC) - change < timedelta(minutes=1)
    assert run.taken[1].changes == (4,)


def test_the_summary_for_the_ticket(table: Table) -> None:
    runbook = page(check("a"), verify=(VERIFY,))
    run = table.run(
        runbook, Scripted([GO, Reply("note", "all calm"), GO]), Scripts([Status.OK, Status.CRIT])
    )
    told = summary(run, runbook, "test")
    assert (told.status, told.environment) == (Status.CRIT, "test")
    assert [each.id for each in told.checks] == ["well", "runbook.time"]
    assert [each.id for each in told.tables] == ["steps", "notes"]
    assert told.extra["mttr_s"] == 1200
    left = table.run(runbook, Scripted([QUIT]), Scripts())
    told = summary(left, runbook, "test")
    assert told.status is Status.UNKNOWN
    assert told.checks[0].actions[0].command == "payops runbook run page --resume"


def test_a_step_is_named_by_its_id_or_number() -> None:
    runbook = page(check("a"), check("b"))
    assert named_place(runbook, "b") == named_place(runbook, "2")
    with pytest.raises(UsageError, match="no step '3'"):
        named_place(runbook, "3")
