"""The report as JUnit's XML, for a build server: a test case a check.

WARN and CRIT are failures (`type` says which), UNKNOWN is an error, SKIP is skipped. An advisory
finding passes, and says what it is in `system-out`. Attributes and order are those that Jenkins,
GitLab and GitHub's reporters read.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from payops.domain.duration import ago, utc_text
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.formats.safe import Page, SafeReport
from payops.formats.words import (
    detail_text,
    is_finding,
    money_text,
    seen_text,
    title_of,
    worst_first,
)

_ELEMENTS = {Status.WARN: "failure", Status.CRIT: "failure", Status.UNKNOWN: "error"}


def render(report: SafeReport, page: Page) -> str:
    """One document, ending with a newline."""
    text = "\n".join(_document(report, page)) + "\n"
    return text.encode("ascii", "xmlcharrefreplace").decode() if page.ascii_only else text


def _document(report: SafeReport, page: Page) -> Iterator[str]:
    counting = [check for check in report.checks if not check.advisory]
    totals = {
        "tests": str(len(report.checks)),
        "failures": str(_how_many(counting, Status.WARN, Status.CRIT)),
        "errors": str(_how_many(counting, Status.UNKNOWN)),
    }
    skipped = str(_how_many(list(report.checks), Status.SKIP))
    name = f"payops {report.command}"
    # A run's wall time: checks run side by side, so theirs add up to more.
    seconds = {"time": _seconds(report.duration_ms)}
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites{_attributes({'name': name} | totals | seconds)}>"
    # The time without a zone is UTC, as the schema of the format wants it.
    at = {"timestamp": utc_text(report.generated_at).removesuffix("Z")}
    suite = {"name": name} | totals | {"skipped": skipped} | seconds | at
    yield f"  <testsuite{_attributes(suite)}>"
    yield "    <properties>"
    for key, value in (
        ("environment", report.environment),
        ("status", report.status.value),
        ("stripe_calls", str(report.stripe_calls)),
    ):
        yield f"      <property{_attributes({'name': key, 'value': value})}/>"
    yield "    </properties>"
    for check in worst_first(report.checks):
        yield from _case(check, report, page)
    yield "  </testsuite>"
    yield "</testsuites>"


def _case(check: CheckResult, report: SafeReport, page: Page) -> Iterator[str]:
    family = title_of(check).partition(".")[0]
    case = {
        "name": title_of(check),
        "classname": f"payops.{report.command.replace(' ', '.')}.{family}",
        "time": _seconds(check.duration_ms),
    }
    said = {"message": " ".join(check.summary.split())}
    start = f"    <testcase{_attributes(case)}"
    if check.status is Status.SKIP:
        yield f"{start}>"
        yield f"      <skipped{_attributes(said)}/>"
        yield "    </testcase>"
    elif is_finding(check) and not check.advisory:
        element = _ELEMENTS[check.status]
        yield f"{start}>"
        yield f"      <{element}{_attributes(said | {'type': check.status.value})}>"
        yield from map(escape, _details(check, report, page))
        yield f"      </{element}>"
        yield "    </testcase>"
    else:
        mark = f"{check.status.value} (advisory): " if is_finding(check) else ""
        yield f"{start}>"
        yield f"      <system-out>{escape(mark + said['message'])}</system-out>"
        yield "    </testcase>"


def _details(check: CheckResult, report: SafeReport, page: Page) -> Iterator[str]:
    yield f"{check.status.value} {title_of(check)}: {' '.join(check.summary.split())}"
    if check.since:
        yield f"since: {utc_text(check.since)} ({ago(check.since, page.now)})"
    if check.money_at_risk:
        yield f"money: {money_text(check)}"
    for one in check.evidence:
        yield f"seen: {seen_text(one, report)}: {one.what} {detail_text(one.detail)}".rstrip()
    for action in check.actions:
        if action.text:
            yield f"action: {action.text}"
        if action.command:
            yield f"next: {action.command}"


def _how_many(checks: list[CheckResult], *statuses: Status) -> int:
    return sum(check.status in statuses for check in checks)


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.3f}"


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
