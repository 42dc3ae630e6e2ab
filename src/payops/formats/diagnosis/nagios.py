"""A diagnosis for a monitor: one line with the cause, the impact and the next command."""

from __future__ import annotations

from collections.abc import Iterator

from payops.formats.diagnosis.told import Told, affected_text, is_text, nothing_text, told
from payops.formats.nagios import WORDS, barless, cut, label
from payops.formats.safe import Page, SafeReport

_LONGEST = 800  # bytes of the line before the bar; NRPE and many a pager stop at 1 kB


def render(report: SafeReport, page: Page) -> str:
    """The plugin's output, ending with a newline."""
    found = told(report)
    word = f"PAYOPS {report.command.upper()} {WORDS[report.status]}"
    line = cut(barless(f"{word} - {'; '.join(_parts(found))}"), _LONGEST)
    return f"{line} | {' '.join(_perfdata(found))}\n"


def _parts(found: Told) -> Iterator[str]:
    if found.nothing and not found.impact.payments:
        yield nothing_text(found).rstrip(".")
        return
    for cause in found.causes:
        names = ", ".join(filter(None, (cause["scenario"], cause["severity"])))
        yield f"{is_text(cause)} ({names})"
    if not found.causes and found.unexplained:
        worst, more = found.unexplained[0], len(found.unexplained) - 1
        yield (
            "no runbook matches: "
            f"{worst['check']}: {worst['summary']}"
            + (f", and {more} more abnormal" if more else "")
        )
    yield affected_text(found.impact)
    if found.escalation.severity:
        yield f"{found.escalation.severity} level {found.escalation.level}"
    for one in found.not_asked:
        yield f"{one['part']} gave no answer"
    command = next((one.command for one in found.next if one.command), "")
    if command:
        yield f"next: {command}"


def _perfdata(found: Told) -> Iterator[str]:
    yield f"'payments'={found.impact.payments}"
    for one in found.impact.money:
        yield f"{label(f'minor_{one.currency}')}={one.minor}"
    if found.report.command == "diagnose":
        yield f"'causes'={len(found.causes)}"
        yield f"'unexplained'={len(found.unexplained)}"
    yield f"'stripe_calls'={found.report.stripe_calls}"
