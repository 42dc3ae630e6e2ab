"""The report as Prometheus' text format, for node_exporter's textfile collector.

    payops_check_status{command="health",environment="production",check="circuit.state",...} 1

A check has one series a status, of which one is 1, so that no series vanishes when the status
changes. Samples carry no times (the collector refuses them): `payops_run_timestamp_seconds` says
how old all of it is, and an alert on its age tells that the job has died. Ids that occur twice in
a report become one, the worse of the two: a series that occurs twice makes the collector drop the
whole file. HELP and TYPE are the same of every command, so that several files can lie side by
side.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.formats.safe import Page, SafeReport
from payops.formats.words import title_of

Labels = Mapping[str, str]
Sample = tuple[Labels, int | float]


@dataclass(frozen=True)
class Family:
    """One metric: name, what it says, and its samples."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def render(report: SafeReport, page: Page) -> str:
    """Every family with its samples, ending with a newline."""
    job = {"command": report.command, "environment": report.environment}
    lines: list[str] = []
    for family in _families(report):
        if family.samples:
            lines += (f"# HELP {family.name} {family.help}", f"# TYPE {family.name} gauge")
        for labels, value in family.samples:
            lines.append(
                f"{family.name}{_labels(job | dict(labels), page.ascii_only)} {_number(value)}"
            )
    return "\n".join(lines) + "\n"


def _families(report: SafeReport) -> Iterator[Family]:
    yield Family(
        "payops_status",
        "1 for the status of the whole run, 0 for the others.",
        tuple(({"status": one.value}, int(one is report.status)) for one in Status),
    )
    checks = _one_of_each(report.checks)
    yield Family(
        "payops_check_status",
        "1 for the status that a check has, 0 for the others; an advisory one is no reason to act.",
        tuple(
            (_of(check) | {"status": one.value, "advisory": _yes(check.advisory)}, _is(check, one))
            for check in checks
            for one in Status
        ),
    )
    yield Family(
        "payops_check_measured",
        "What a check measured, in the unit that the label says.",
        tuple(sample for check in checks for sample in _measured(check)),
    )
    yield Family(
        "payops_check_limit",
        "The limits in force: beyond them a check is WARN or CRIT.",
        tuple(sample for check in checks for sample in _limits(check)),
    )
    yield from _money(checks)
    yield Family(
        "payops_check_since_timestamp_seconds",
        "When the trouble began, where that can be told.",
        tuple((_of(check), check.since.timestamp()) for check in checks if check.since),
    )
    yield Family(
        "payops_check_duration_seconds",
        "How long a check took.",
        tuple((_of(check), check.duration_ms / 1000) for check in checks),
    )
    yield Family(
        "payops_run_timestamp_seconds",
        "When the run began; a run that is too old says nothing any more.",
        (({}, report.generated_at.timestamp()),),
    )
    yield Family(
        "payops_run_duration_seconds",
        "How long the run took.",
        (({}, report.duration_ms / 1000),),
    )
    yield Family(
        "payops_run_stripe_calls", "Requests to Stripe of the run.", (({}, report.stripe_calls),)
    )


def _one_of_each(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """A result for each id; of several the worst, the first of equals."""
    found: dict[str, CheckResult] = {}
    for check in checks:
        known = found.get(title_of(check))
        if known is None or check.status.rank > known.status.rank:
            found[title_of(check)] = check
    return tuple(found.values())


def _of(check: CheckResult) -> dict[str, str]:
    return {"check": title_of(check)}


def _is(check: CheckResult, status: Status) -> int:
    return int(check.status is status)


def _yes(said: bool) -> str:
    return "true" if said else "false"


def _measured(check: CheckResult) -> Iterator[Sample]:
    for name, value in check.measured.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isfinite(value):
            limit = check.limits.get(name)
            unit = limit.unit if limit else ""
            yield _of(check) | {"measure": name, "unit": unit}, value


def _limits(check: CheckResult) -> Iterator[Sample]:
    for name, limit in check.limits.items():
        sides: tuple[tuple[Literal["warn", "crit"], int | float | None], ...] = (
            ("warn", limit.warn),
            ("crit", limit.crit),
        )
        for side, value in sides:
            if value is not None and math.isfinite(value):
                yield _of(check) | {"measure": name, "limit": side, "worse": limit.worse}, value


def _money(checks: Iterable[CheckResult]) -> Iterator[Family]:
    minor: defaultdict[tuple[str, str], int] = defaultdict(int)
    count: defaultdict[tuple[str, str], int] = defaultdict(int)
    for check in checks:
        for money in check.money_at_risk:
            minor[title_of(check), money.currency] += money.minor
            count[title_of(check), money.currency] += money.count

    def samples(sums: Mapping[tuple[str, str], int]) -> tuple[Sample, ...]:
        return tuple(
            ({"check": check, "currency": currency}, value)
            for (check, currency), value in sums.items()
        )

    yield Family(
        "payops_money_at_risk_minor",
        "Money that a finding touches, in minor units of its currency; one payment may stand in "
        "several checks.",
        samples(minor),
    )
    yield Family(
        "payops_money_at_risk_payments", "How many payments a finding touches.", samples(count)
    )


def _labels(labels: Labels, ascii_only: bool) -> str:
    return "{" + ",".join(f'{k}="{_quoted(v, ascii_only)}"' for k, v in labels.items()) + "}"


def _quoted(text: str, ascii_only: bool) -> str:
    if ascii_only:
        # Before the quoting: what comes out of it are backslashes, which must be doubled too.
        text = text.encode("ascii", "backslashreplace").decode()
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: int | float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:z.6f}".rstrip("0").rstrip(".")
