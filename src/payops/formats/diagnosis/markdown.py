"""A diagnosis as an incident update, ready to paste into a ticket or a chat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from payops.domain.duration import utc_text
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
    told,
)
from payops.formats.markdown import escaped, fenced, table_blocks
from payops.formats.safe import Page, SafeReport


def render(report: SafeReport, page: Page) -> str:
    """Heading, impact, cause, what we do next, when the next update is due; ends with a newline."""
    return "\n\n".join(_blocks(told(report))) + "\n"


def _blocks(found: Told) -> Iterator[str]:
    report, impact = found.report, found.impact
    where = " ".join(filter(None, ("payments", report.environment)))
    severity = f"{found.escalation.severity}: " if found.escalation.severity else ""
    yield f"# {severity}{escaped(where)}, {utc_text(report.generated_at)}"
    if found.nothing and not impact.payments:
        yield f"**Status:** {escaped(nothing_text(found))} {escaped(looked_text(found))}."
        return
    if report.command == "diagnose":
        status = "identified" if found.causes else "investigating"
        yield f"**Status:** {status} ({report.status.value})"
    yield "**Impact:** " + "; ".join(
        escaped(text)
        for text in (
            affected_text(impact),
            parts_text(impact) if len(impact.parts) > 1 else "",
            since_text(found),
            refunds_text(impact) if report.command == "impact" else "",
            *impact.notes,
        )
        if text
    )
    if report.command == "diagnose":
        yield from _causes(found)
    yield from _following(found)
    for table in report.tables:
        yield from table_blocks(table)


def _causes(found: Told) -> Iterator[str]:
    for cause in found.causes:
        yield _cause(cause)
    if found.unexplained:
        title = "Also abnormal" if found.causes else "Cause: not known. Abnormal is"
        rows = [
            f"- {one['status'].value} {escaped(one['check'])}: {escaped(one['summary'])}"
            for one in found.unexplained
        ]
        yield "\n".join((f"**{title}:**", "", *rows))
    elif not found.causes:
        yield "**Cause:** none was found"
    if ruled := not_this(found, 6):
        yield "\n".join(("**Not this:**", "", *(f"- {escaped(one)}" for one in ruled)))
    if found.not_asked:
        rows = [f"- {escaped(one['part'])}: {escaped(one['why'])}" for one in found.not_asked]
        yield "\n".join(("**Not asked:**", "", *rows))


def _cause(cause: Section) -> str:
    rows = [
        f"- {word}: {escaped(says)} ({escaped(check)})"
        for word, side in (("for", "for"), ("against", "against"))
        for check, says in grounds(cause, side, 6)
    ]
    head = f"**Cause:** {escaped(is_text(cause))} ({escaped(sure_text(cause))})"
    return "\n".join((head, "", *rows))


def _following(found: Told) -> Iterator[str]:
    for number, action in enumerate(found.next):
        if not number:
            yield "**What we do next:**"
        if action.text:
            yield escaped(action.text)
        if action.command:
            yield fenced(action.command)
    if found.escalation.severity:
        why = (severity_text(found.escalation), level_text(found.escalation))
        yield f"**Severity:** {escaped('; '.join(filter(None, why)))}"
        yield f"**Who:** {escaped(call_text(found))}"
        if found.escalation.answer_s is None:
            yield "**Next update:** the next business day"
        else:
            due = found.report.generated_at + timedelta(seconds=found.escalation.answer_s)
            yield f"**Next update:** {utc_text(due)}"
    yield f"{escaped(looked_text(found))}."
