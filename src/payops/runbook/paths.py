"""Where the steps of a page lead: by their outcomes, and all the ways that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from payops.domain.runbook import (
    ELSEWHERE,
    END,
    ESCALATE,
    NEXT,
    OUTCOMES,
    VERIFY,
    Runbook,
    Step,
)

RESERVED = frozenset({NEXT, END, ESCALATE, VERIFY})
"""The words of `then` that are no steps."""

_PAUSES = frozenset({"ask", "tell", "plan", "wait"})
"""Kinds at which somebody is asked or time passes: a ring through one ends."""


def outcomes_of(step: Step) -> tuple[str, ...]:
    """What a step can end with: its answers, where it is a question."""
    return step.answers if step.kind == "ask" else OUTCOMES[step.kind]


def target_of(step: Step, outcome: str) -> str:
    """Where an outcome leads, as the page says it; the next step where it says nothing."""
    return step.then.get(outcome, NEXT)


def targets_of(steps: Iterable[Step]) -> Iterator[str]:
    """Every target within the page."""
    for step in steps:
        yield from (each for each in step.then.values() if not each.startswith(ELSEWHERE))


def place_after(runbook: Runbook, step: Step, target: str) -> Step | None:
    """The step of this page that a target leads to; None at its end and for another runbook."""
    if target == END or target.startswith(ELSEWHERE):
        return None
    if target == VERIFY:
        return runbook.verify[0] if runbook.verify else None
    steps = runbook.every_step
    if target in {NEXT, ESCALATE}:
        number = steps.index(step) + 1
        return steps[number] if number < len(steps) else None
    return next((each for each in steps if each.id == target), None)


def _led_to(runbook: Runbook) -> Mapping[str, frozenset[str]]:
    """Of each step's id the ids of those that may come after it."""
    led: dict[str, frozenset[str]] = {}
    for step in runbook.every_step:
        after = (
            place_after(runbook, step, target_of(step, outcome)) for outcome in outcomes_of(step)
        )
        led[step.id] = frozenset(each.id for each in after if each is not None)
    return led


def unreachable(runbook: Runbook) -> tuple[Step, ...]:
    """Steps to which no outcome leads, whatever happens."""
    steps = runbook.every_step
    led = _led_to(runbook)
    seen: set[str] = set()
    waiting = [steps[0].id] if steps else []
    while waiting:
        id_ = waiting.pop()
        if id_ not in seen:
            seen.add(id_)
            waiting += led[id_]
    return tuple(step for step in steps if step.id not in seen)


def endless(runbook: Runbook) -> tuple[tuple[Step, ...], ...]:
    """Rings of steps that a run could go round for ever, without a person or a wait in them."""
    busy = {step.id: step for step in runbook.every_step if step.kind not in _PAUSES}
    led = {id_: after & busy.keys() for id_, after in _led_to(runbook).items() if id_ in busy}
    rings: list[tuple[Step, ...]] = []
    done: set[str] = set()

    def walk(id_: str, way: tuple[str, ...]) -> None:
        if id_ in way:
            ring = way[way.index(id_) :]
            if not any({step.id for step in one} == set(ring) for one in rings):
                rings.append(tuple(busy[each] for each in ring))
            return
        if id_ in done:
            return
        for after in sorted(led[id_]):
            walk(after, (*way, id_))
        done.add(id_)

    for id_ in busy:
        walk(id_, ())
    return tuple(rings)
