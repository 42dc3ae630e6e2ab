"""One runbook as Markdown, and that as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator

from payops.domain.duration import human_duration
from payops.domain.runbook import ELSEWHERE, NEXT, Runbook, Step
from payops.domain.secret import redact
from payops.domain.text import harmless
from payops.formats.markdown import escaped, fenced

_KINDS = {
    "check": "payops checks",
    "run": "payops runs",
    "ask": "asks you",
    "tell": "by hand",
    "plan": "a change, which you confirm",
    "wait": "payops waits for",
}


def as_markdown(runbook: Runbook) -> str:
    """The page's own prose, and its steps below it."""
    # A page is shown before it is checked: ids, too, may be anything.
    return redact("\n".join(map(harmless, _lines(runbook))).rstrip() + "\n")


def on_terminal(runbook: Runbook, width: int, *, colour: bool) -> str:
    """The same, laid out by Rich. What looks like Rich's markup in it is text."""
    from rich.markdown import Markdown

    from payops.formats.paper import paper

    console = paper(width, colour=colour)
    with console.capture() as capture:
        console.print(Markdown(as_markdown(runbook), hyperlinks=False))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _lines(runbook: Runbook) -> Iterator[str]:
    prose = [_visible(line) for line in runbook.prose.splitlines()]
    if not prose or not prose[0].startswith("# "):
        yield f"# {escaped(harmless(runbook.title))}"
    else:
        yield prose.pop(0)
    yield ""
    yield _facts(runbook)
    yield ""
    yield from prose
    yield ""
    for heading, steps in (("Steps", runbook.steps), ("Is it repaired?", runbook.verify)):
        if steps:
            yield f"## {heading}"
            yield ""
        for step in steps:
            yield from _step(runbook.every_step.index(step) + 1, step)
    yield f"Run it: `payops runbook run {runbook.id}`"


def _facts(runbook: Runbook) -> str:
    facts = [f"`{runbook.id}`", runbook.severity or runbook.kind]
    if runbook.mttr_s is not None:
        facts.append(f"to be repaired within {human_duration(runbook.mttr_s)}")
    if runbook.source:
        facts.append(escaped(harmless(runbook.source)))
    return " · ".join(facts)


def _step(number: int, step: Step) -> Iterator[str]:
    title = escaped(harmless(step.title or step.id))
    yield f"{number}. **{title}** ({_KINDS[step.kind]}, `{step.id}`)"
    yield ""
    if step.kind in {"ask", "tell"}:
        for line in step.what.splitlines():
            yield f"   {_visible(line)}"
    else:
        for line in fenced(harmless(step.what)).splitlines():
            yield f"   {line}"
    yield ""
    for word, text in (("Why", step.why), ("Risk", step.risk)):
        if text:
            yield f"   {word}: {escaped(harmless(text))}"
            yield ""
    told = [f"{escaped(harmless(outcome))}: {_target(to)}" for outcome, to in step.then.items()]
    if told:
        yield f"   {'; '.join(told)}"
        yield ""


def _target(target: str) -> str:
    if target.startswith(ELSEWHERE):
        return f"go on with runbook `{target.removeprefix(ELSEWHERE)}`"
    if target == NEXT:
        return "the next step"
    return f"`{harmless(target)}`"


def _visible(line: str) -> str:
    return harmless(line.expandtabs(4))
