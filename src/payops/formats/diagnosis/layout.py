"""A diagnosis as lines for a terminal or a pipe: a label on the left, what is told on the right.

No line but a command is wider than the page; a command stands alone on its line, unbroken.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from payops.formats.diagnosis.told import (
    Section,
    Told,
    affected_text,
    call_text,
    grounds,
    is_text,
    level_text,
    looked_text,
    not_this,
    nothing_text,
    parts_text,
    refunds_text,
    severity_text,
    since_text,
    sure_text,
)

INDENT = 10
_FOR, _AGAINST, _NOT, _ABNORMAL = 4, 2, 4, 6
_NARROWEST = 40


@dataclass(frozen=True)
class Line:
    """`label` stands in the margin; `strong` is what to read first. A command is never wrapped."""

    text: str
    label: str = ""
    strong: bool = False


def lines(told: Told, width: int) -> Iterator[Line]:
    """The whole diagnosis but its headline."""
    page = _Page(max(width, _NARROWEST) - INDENT)
    if told.nothing and not told.impact.payments:
        yield from page.block("", nothing_text(told), strong=True)
        yield from page.block("", f"Looked at: {looked_text(told)}.")
        return
    yield from page.impact(told)
    if told.report.command == "diagnose":
        for number, cause in enumerate(told.causes):
            yield Line("")
            yield from page.cause(cause, "AND" if number else "CAUSE")
        yield from page.unexplained(told)
        yield from page.doubts(told)
        yield from page.next(told)
    yield Line("")
    yield from page.block("", f"{looked_text(told)}.")


@dataclass(frozen=True)
class _Page:
    width: int

    def block(
        self, label: str, text: str, hang: str = "", *, strong: bool = False
    ) -> Iterator[Line]:
        """`text` wrapped; its further lines stand under `hang`."""
        wrapped = textwrap.wrap(
            text,
            self.width,
            subsequent_indent=" " * len(hang),
            break_on_hyphens=False,
        )
        for number, line in enumerate(wrapped):
            yield Line(line, "" if number else label, strong=strong)

    def impact(self, told: Told) -> Iterator[Line]:
        impact = told.impact
        yield from self.block("IMPACT", affected_text(impact), strong=True)
        if len(impact.parts) > 1:
            yield from self.block("", parts_text(impact))
        if impact.payments or told.causes:
            yield from self.block("", since_text(told))
        if told.report.command == "impact":
            yield from self.block("", refunds_text(impact))
        escalation = told.escalation
        escalated = (severity_text(escalation), level_text(escalation), call_text(told))
        for text in (*escalated, *impact.notes):
            yield from self.block("", text)

    def cause(self, cause: Section, label: str) -> Iterator[Line]:
        yield from self.block(label, is_text(cause), strong=True)
        yield from self.block("", sure_text(cause))
        for sign, side, most in (("+", "for", _FOR), ("-", "against", _AGAINST)):
            for check, says in grounds(cause, side, most):
                yield from self.block("", f"{sign} {says} [{check}]", "  ")

    def unexplained(self, told: Told) -> Iterator[Line]:
        found = told.unexplained
        if not found and told.causes:
            return
        yield Line("")
        if not found:
            yield from self.block("CAUSE", "None was found.", strong=True)
        elif told.causes:
            yield from self.block("ALSO", "abnormal, and explained by none of these:")
        else:
            text = "Not known: this is abnormal, and no runbook matches."
            yield from self.block("CAUSE", text, strong=True)
        for one in found[:_ABNORMAL]:
            text = f"{one['status'].value} {one['check']}: {one['summary']}"
            yield from self.block("", text, "  ")
        if len(found) > _ABNORMAL:
            yield from self.block("", f"and {len(found) - _ABNORMAL} more: payops health")

    def doubts(self, told: Told) -> Iterator[Line]:
        ruled = not_this(told, _NOT)
        if ruled:
            yield Line("")
        for number, text in enumerate(ruled):
            yield from self.block("" if number else "NOT", text, "  ")
        for number, one in enumerate(told.not_asked):
            if not number:
                yield Line("")
            label = "" if number else "NOT ASKED"
            yield from self.block(label, f"{one['part']}: {one['why']}", "  ")
        # One command may answer several questions: it is told with the first.
        asking = {one["actions"][0].command: one for one in reversed(told.tells_apart)}
        for number, (command, one) in enumerate(reversed(asking.items())):
            if not number:
                yield Line("")
            yield from self.block("" if number else "DOUBT", one["actions"][0].text)
            yield Line(f"  {command}")

    def next(self, told: Told) -> Iterator[Line]:
        if not told.next:
            return
        yield Line("")
        number = 0
        for place, action in enumerate(told.next):
            label = "" if place else "NEXT"
            sign = "-"
            if action.command:
                number += 1
                sign = f"{number}"
            yield from self.block(label, f"{sign} {action.text}", "  ")
            if action.command:
                yield Line(f"  {action.command}")
