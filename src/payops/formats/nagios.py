"""The report as a monitoring plugin's output: one line with perfdata, findings under it.

    PAYOPS HEALTH CRITICAL - 1 of 9 checks: circuit.state: ... | 'circuit.state.failures'=7;5;10
    CRITICAL circuit.state: Breaker stripe is open; since ...; next: payops circuit reset stripe

After the Monitoring Plugins Development Guidelines: words OK, WARNING, CRITICAL, UNKNOWN; perfdata
`'label'=value[UOM];[warn];[crit]` with the units s, ms, %, B or none; a limit below which a value
is bad is the range `95:`. Perfdata beyond the first line's size follows the findings after a
second bar, as the guidelines' long output has it. A bar in a text becomes `/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from payops.domain.change import TABLE as CHANGES
from payops.domain.duration import ago, utc_text
from payops.domain.evidence import Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Number, Threshold
from payops.formats.discrepancies import Listed, listed
from payops.formats.safe import Page, SafeReport
from payops.formats.words import (
    by_cause,
    counted,
    is_finding,
    money_text,
    title_of,
    worst_first,
)

WORDS = {
    Status.OK: "OK",
    Status.WARN: "WARNING",
    Status.CRIT: "CRITICAL",
    Status.UNKNOWN: "UNKNOWN",
    Status.SKIP: "SKIPPED",
}
_UNITS = {"s": "s", "ms": "ms", "%": "%", "bytes": "B", "B": "B"}
_FIRST_LINE = 1000  # bytes; NRPE's packets and many a pager stop at 1 kB
_FINDING = 1000  # bytes of one finding
_ALL = 8000  # bytes; Nagios reads 8 kB of output, and loses the perfdata at its end else
_FEWEST = 3000  # bytes that findings may have, however much perfdata there is
_MESSAGE = 420  # bytes of them for the words before the bar


def render(report: SafeReport, page: Page) -> str:
    """The plugin's output, ending with a newline."""
    perfdata = [datum for check in report.checks for datum in _perfdata(check)]
    message = cut(_message(report), _MESSAGE)
    room = _FIRST_LINE - len(message.encode()) - len(" | ")
    first: list[str] = []
    for datum in perfdata:
        room -= len(datum.encode()) + 1
        if room < 0:
            break
        first.append(datum)
    head = f"{message} | {' '.join(first)}" if first else message
    rest = perfdata[len(first) :]
    size = len(head.encode()) + sum(len(datum.encode()) + 1 for datum in rest)
    lines = [head, *_fitting(_long_output(report, page), max(_ALL - size, _FEWEST))]
    if rest:
        lines[-1] += " |" if len(lines) > 1 else ""
        # Without a finding there is no long output to put the bar on.
        lines += rest if len(lines) > 1 else ["more perfdata |", *rest]
    return "\n".join(lines) + "\n"


def _long_output(report: SafeReport, page: Page) -> list[str]:
    findings = by_cause([check for check in worst_first(report.checks) if is_finding(check)])
    became = _became(report)
    lines = [cut(_finding(check, became, page), _FINDING) for check in findings]
    well = [one for one in became.values() if one.status in (Status.OK, Status.SKIP)]
    lines += [cut(barless(_resolved(one)), _FINDING) for one in well]
    lines += [cut(barless(_discrepancy(each)), _FINDING) for each in islice(listed(report), 5)]
    return lines


def _fitting(lines: list[str], size: int) -> list[str]:
    """As many of the lines as fit into `size` bytes, the worst, and how many there are more."""
    used = 0
    for number, line in enumerate(lines):
        used += len(line.encode()) + 1
        if used > size:
            return [*lines[:number], f"... and {len(lines) - number} more, without --check"]
    return lines


def _message(report: SafeReport) -> str:
    ran = [check for check in report.checks if check.status is not Status.SKIP]
    skipped = len(report.checks) - len(ran)
    bad = [c for c in worst_first(report.checks) if is_finding(c) and not c.advisory]
    advisory = sum(is_finding(check) and check.advisory for check in report.checks)
    total = counted(len(ran), "check")
    parts = [f"{len(bad)} of {total}" if bad else total]
    parts += _counts(_became(report))
    if skipped:
        parts.append(f"{skipped} skipped")
    if advisory:
        parts.append(f"{advisory} advisory")
    text = f"PAYOPS {report.command.upper()} {WORDS[report.status]} - {', '.join(parts)}"
    findings = "; ".join(
        f"{title_of(check)}: {check.summary}" for check in by_cause(bad, named=False)
    )
    return barless(f"{text}: {findings}" if findings else text)


def _finding(check: CheckResult, became: Mapping[str, Became], page: Page) -> str:
    parts = [f"{WORDS[check.status]} {title_of(check)}: {check.summary}"]
    if check.advisory:
        parts[0] += " (advisory)"
    if check.since:
        parts.append(f"since {utc_text(check.since)} ({ago(check.since, page.now)})")
    if known := became.get(check.id):
        first = f", seen since {utc_text(known.since)}" if known.since < page.now else ""
        parts.append(f"{known.kind}{first if known.kind != 'new' else ''}")
    if check.money_at_risk:
        parts.append(f"at risk {money_text(check)}")
    following = [action.command or action.text for action in check.actions]
    if following:
        parts.append(f"next: {following[0]}")
    return barless("; ".join(parts))


@dataclass(frozen=True)
class Became:
    """What became of a check since the run before (`--state`), from the report's own table."""

    id: str
    kind: str
    status: Status
    since: datetime


def _became(report: SafeReport) -> dict[str, Became]:
    rows = [row for table in report.tables if table.id == CHANGES for row in table.rows]
    found: dict[str, Became] = {}
    for id_, kind, status, _, since in rows:
        if isinstance(status, Status) and isinstance(since, datetime):
            found[str(id_)] = Became(str(id_), str(kind), status, since)
    return found


def _counts(became: Mapping[str, Became]) -> list[str]:
    kinds = [one.kind for one in became.values()]
    return [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds) if kind != "persisting"]


def _resolved(one: Became) -> str:
    """A line for what is well again, which no finding tells of."""
    return f"{WORDS[one.status]} {one.id}: {one.kind}; it was seen since {utc_text(one.since)}"


def _discrepancy(each: Listed) -> str:
    parts = [f"{each.severity} {each.match_class}: {each.ids}, {each.pair}, {each.money}"]
    if each.cause:
        parts.append(each.cause)
    return "; ".join(parts)


def barless(text: str) -> str:
    """`text` on one line, without the bar that begins the perfdata."""
    return " ".join(text.replace("|", "/").split())


def cut(text: str, size: int) -> str:
    """`text` in at most `size` bytes of UTF-8."""
    width = len(text)
    while len(shortened(text, width).encode()) > size:
        width = min(width - 1, size if width > size else width)
    return shortened(text, width)


def _perfdata(check: CheckResult) -> Iterator[str]:
    limits: Limits = check.limits
    if check.cause:
        return  # nothing was measured
    for name in _judged_first(check.measured, limits):
        value = check.measured[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if not math.isfinite(value):
            continue
        threshold = limits.get(name)
        unit = _UNITS.get(threshold.unit, "") if threshold else ""
        datum = f"{label(f'{title_of(check)}.{name}')}={_number(value)}{unit}"
        if threshold:
            warn, crit = _range(threshold.warn, threshold), _range(threshold.crit, threshold)
            datum += f";{warn};{crit}".rstrip(";")
        yield datum


def _judged_first(measured: Mapping[str, Scalar], limits: Limits) -> list[str]:
    return sorted(measured, key=lambda name: name not in limits)


def label(text: str) -> str:
    """Quoted, quotes doubled, without `=` and `|`, which no quoting makes safe everywhere."""
    allowed = text.replace("=", "_").replace("|", "_").replace("'", "''")
    return f"'{allowed}'"


def _range(limit: Number | None, threshold: Threshold) -> str:
    if limit is None or not math.isfinite(limit):
        return ""
    if threshold.worse == "lower":
        return f"{_number(limit)}:"
    # `10` stands for 0 to 10, so that a limit below nothing needs its other end said.
    return f"~:{_number(limit)}" if limit < 0 else _number(limit)


def _number(value: Number) -> str:
    """Digits, sign and point only: the guidelines know no exponents."""
    if isinstance(value, int):
        return str(value)
    # `z` (Python 3.11): a value that rounds to zero is not written -0.
    return f"{value:z.6f}".rstrip("0").rstrip(".")
