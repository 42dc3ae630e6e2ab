"""Whether a runbook can be run, told before its first step: every misfit at once, with its place.

What only other rooms know (checks, commands) is given as `Known`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from payops.config.files import preset_names
from payops.domain.runbook import ELSEWHERE, Runbook, Step
from payops.domain.symptom import Symptom
from payops.domain.text import DANGEROUS
from payops.runbook.lines import OURS, placeholders
from payops.runbook.paths import RESERVED, endless, outcomes_of, targets_of, unreachable
from payops.runbook.wording import BUILT_IN, Known, Wording, nearest

ANSWERED = frozenset({"s", "skip", "b", "back", "note", "help", "?", "q", "quit"})
"""What a person may say at any step; no answer of a question is called so."""

MOST_STEPS = 200

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ROW = re.compile(r"S\d-\d\d")
_OBEYED = re.compile(f"(?!\n)[{DANGEROUS}]")


@dataclass(frozen=True)
class Misfit:
    """One thing that is wrong with a page: in which file, at which key, and what."""

    file: str
    place: str
    what: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.place, self.what) if part)


def misfits_of(runbook: Runbook, ids: Collection[str], known: Known) -> tuple[Misfit, ...]:
    """What is wrong with one page; `ids` are those of all runbooks, for jumps."""
    page = _Page(runbook, ids, known)
    found = (Misfit(runbook.path, place, what) for place, what in page.misfits())
    return tuple(dict.fromkeys(found))


def misfits_together(runbooks: Sequence[Runbook], ids: Collection[str]) -> Iterator[Misfit]:
    """What is wrong between pages: scenarios that two of them claim."""
    told: dict[str, str] = {}
    for each in runbooks:
        for suspect in each.suspects:
            if suspect.scenario in told:
                other = told[suspect.scenario]
                yield Misfit(each.path, f"scenarios.{suspect.scenario}", f"is one of {other} too")
            elif suspect.scenario != each.id and suspect.scenario in ids:
                what = "is the id of another runbook"
                yield Misfit(each.path, f"scenarios.{suspect.scenario}", what)
            told.setdefault(suspect.scenario, each.id)


Found = Iterator[tuple[str, str]]
"""Places and what is wrong there."""


@dataclass(frozen=True)
class _Page:
    """One page, looked at from all sides."""

    runbook: Runbook
    ids: Collection[str]
    known: Known

    @property
    def _wording(self) -> Wording:
        return Wording(self.runbook, self.known)

    def misfits(self) -> Found:
        if (count := len(self.runbook.every_step)) > MOST_STEPS:
            yield "steps", f"{count} are more than anybody goes through: {MOST_STEPS} at most"
            return
        yield from self._head()
        yield from self._symptoms()
        yield from self._steps()
        yield from self._ways()
        yield from self._parameters()
        yield from self._lines()
        yield from self._hostile()

    # ── what the page is ─────────────────────────────────────────────────────────────────────────

    def _head(self) -> Found:
        page = self.runbook
        if not _ID.fullmatch(page.id):
            yield "id", f"{page.id!r} is not lower-case words joined by hyphens"
        if not page.title.strip():
            yield "title", "is empty"
        if page.kind == "incident":
            if not page.severity:
                yield "severity", "an incident has one: P1 to P4"
            if page.mttr_s is None:
                yield "mttr", "an incident has one: how long a repair may take, 20m"
            if not page.verify:
                yield "verify", "an incident has steps that tell whether it is repaired"
        elif page.suspects:
            yield "symptoms", "a routine is no cause, and has nothing decisive"
        if not page.every_step:
            yield "steps", "there is none"
        for row in page.rows:
            yield from _row(row, "rows")
        for name in page.presets:
            if name not in preset_names():
                yield "presets", f"there is no preset {name!r}{nearest(name, preset_names())}"

    def _symptoms(self) -> Found:
        page = self.runbook
        parts = {"symptoms": page.symptoms}
        parts |= {f"scenarios.{each.scenario}": each.symptoms for each in page.suspects}
        seen: set[tuple[str, str]] = set()
        for where, symptoms in parts.items():
            for side in ("confirm", "refute", "neutral"):
                for symptom in getattr(symptoms, side):
                    for check in _checks_in(symptom):
                        # A narrower cause repeats what the page says: told once.
                        if (side, check) not in seen:
                            told = self._wording.signal(check)
                            yield from ((f"{where}.{side}", what) for what in told)
                        seen.add((side, check))

    # ── its steps ────────────────────────────────────────────────────────────────────────────────

    def _steps(self) -> Found:
        seen: set[str] = set()
        for step in self.runbook.every_step:
            place = _place(self.runbook, step)
            if step.id in seen:
                yield place, "another step has this id"
            seen.add(step.id)
            if not _ID.fullmatch(step.id):
                yield place, f"{step.id!r} is not lower-case words joined by hyphens"
            if step.id in RESERVED:
                yield place, f"{step.id!r} is a word of `then`, and no id of a step"
            for row in step.rows:
                yield from _row(row, f"{place}.rows")
            yield from ((f"{place}.{key}", what) for key, what in self._step(step))
            yield from ((f"{place}.then", what) for what in self._then(step))

    def _step(self, step: Step) -> Found:
        match step.kind:
            case "check":
                yield from (("check", what) for what in self._wording.checks(step.what))
            case "run":
                yield from (("run", what) for what in self._wording.reading(step.what))
            case "plan":
                yield from (("plan", what) for what in self._wording.planning(step))
                for key in ("why", "risk"):
                    if not getattr(step, key).strip():
                        yield key, "is told before a change, and there is none"
            case "wait":
                words, ours = self._wording, step.what.startswith(f"{OURS} ")
                told = words.reading(step.what) if ours else words.checks(step.what)
                yield from (("wait", what) for what in told)
                if step.every_s <= 0 or step.timeout_s <= 0:
                    yield "every", "a wait looks again and again, and ends: both are positive"
                elif step.every_s > step.timeout_s:
                    yield "every", "is longer than the timeout"
            case "ask":
                yield from self._answers(step)
            case "tell":
                pass
        if step.since and (step.kind not in {"check", "wait"} or step.what.startswith(OURS)):
            yield "since", "belongs to checks; a command has --since"
        if not step.expect:
            yield "expect", "is empty, so nothing would be well"

    def _answers(self, step: Step) -> Found:
        if len(set(step.answers)) < len(step.answers):
            yield "answers", "one stands there twice"
        if len(step.answers) == 1:
            yield "answers", "a question has at least two"
        for answer in step.answers:
            if not answer.strip() or answer.strip().lower() in ANSWERED:
                yield "answers", f"{answer!r} is what a person says at any step, and no answer"

    def _then(self, step: Step) -> Iterator[str]:
        outcomes = outcomes_of(step)
        steps = [each.id for each in self.runbook.every_step]
        for outcome, target in step.then.items():
            if outcome not in outcomes:
                kind = "an answer" if step.kind == "ask" else f"an outcome of a {step.kind}"
                yield f"{outcome!r} is not {kind}: {', '.join(outcomes)}"
            if target.startswith(ELSEWHERE):
                other = target.removeprefix(ELSEWHERE).strip()
                if other not in self.ids:
                    yield f"there is no runbook {other!r}{nearest(other, self.ids)}"
            elif target not in RESERVED and target not in steps:
                yield f"there is no step {target!r}{nearest(target, [*steps, *RESERVED])}"

    # ── its ways ─────────────────────────────────────────────────────────────────────────────────

    def _ways(self) -> Found:
        steps = self.runbook.every_step
        if any(target not in steps_and_words(steps) for target in targets_of(steps)):
            return  # told already; without it the ways are not known
        for step in unreachable(self.runbook):
            yield _place(self.runbook, step), "no way leads to it"
        for ring in endless(self.runbook):
            way = " -> ".join(step.id for step in (*ring, ring[0]))
            yield _place(self.runbook, ring[0]), f"goes round with nobody asked: {way}"

    # ── its words ────────────────────────────────────────────────────────────────────────────────

    def _parameters(self) -> Found:
        declared = self.runbook.parameters
        for name in declared:
            if name in BUILT_IN:
                yield f"parameters.{name}", "has a meaning already"
            elif not re.fullmatch("[a-z][a-z0-9_]*", name):
                yield f"parameters.{name}", "is not a lower-case word"
            if declared[name].default.startswith("-"):
                yield f"parameters.{name}", "begins with a hyphen, as an option does"
        used: set[str] = set()
        for place, text in self._texts():
            for name in placeholders(text):
                used.add(name)
                if name not in self._wording.examples:
                    what = f"{{{name}}} is not declared under parameters"
                    yield place, f"{what}{nearest(name, self._wording.examples)}"
                elif name == "plan" and not place.endswith((".plan", "next")):
                    yield place, "{plan} belongs to a step of the kind plan"
        for name in declared:
            if name not in used:
                yield f"parameters.{name}", "is used nowhere"

    def _texts(self) -> Iterator[tuple[str, str]]:
        """The texts in which names are filled in."""
        for step in self.runbook.every_step:
            yield f"{_place(self.runbook, step)}.{step.kind}", step.what
        for action in self._actions():
            yield "next", action

    def _actions(self) -> list[str]:
        actions = [*self.runbook.next, *(a for one in self.runbook.suspects for a in one.actions)]
        return list(dict.fromkeys(each.command for each in actions if each.command))

    def _lines(self) -> Found:
        for command in self._actions():
            if command.split()[:1] == [OURS]:
                yield from (("next", what) for what in self._wording.read(command)[1])
        for step in self.runbook.every_step:
            if step.kind in {"ask", "tell"}:
                place = f"{_place(self.runbook, step)}.{step.kind}"
                yield from ((place, what) for what in self._wording.mentions(step.what))
        yield from (("the prose", what) for what in self._wording.mentions(self.runbook.prose))

    def _hostile(self) -> Found:
        page = self.runbook
        texts = [("title", page.title), ("source", page.source)]
        texts += [(f"parameters.{n}", one.meaning) for n, one in page.parameters.items()]
        for step in page.every_step:
            place = _place(page, step)
            texts += [(place, text) for text in (step.title, step.what, step.why, step.risk)]
            texts += [(place, answer) for answer in step.answers]
        for place, text in texts:
            if _OBEYED.search(text):
                yield place, "holds a character that a terminal obeys or nobody sees"


def steps_and_words(steps: Iterable[Step]) -> frozenset[str]:
    """Where a step may lead within its page."""
    return RESERVED | {step.id for step in steps}


def _place(runbook: Runbook, step: Step) -> str:
    return f"{'steps' if step in runbook.steps else 'verify'}.{step.id}"


def _row(row: str, place: str) -> Found:
    if not _ROW.fullmatch(row):
        yield place, f"{row!r} is no row: S2-44"


def _checks_in(symptom: Symptom) -> Iterator[str]:
    yield symptom.check
    for each in (*symptom.also, *symptom.unless):
        yield from _checks_in(each)
