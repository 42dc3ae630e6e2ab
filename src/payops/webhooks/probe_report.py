"""What probes say as check results and as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.table import Cell, Column, Table
from payops.domain.threshold import Threshold
from payops.webhooks.probe_event import ID_PREFIX
from payops.webhooks.probe_reach import EXPIRY
from payops.webhooks.probe_unsigned import CLOCK
from payops.webhooks.probed import Probe, Step

ROWS = ("S0-24", "S0-25", "S3-08", "S4-41")
_COLUMNS = (
    Column("endpoint", "Endpoint"),
    Column("step", "Step"),
    Column("status", "Status"),
    Column("latency_ms", "Time", unit="ms"),
    Column("seen", "Seen", wide=True),
)


def results(probes: Sequence[Probe]) -> tuple[CheckResult, ...]:
    """One an endpoint, each with an id of its own: `webhooks.probe-shop`."""
    ids = _ids(probe.name for probe in probes)
    return tuple(result(probe, id_) for probe, id_ in zip(probes, ids, strict=True))


def result(probe: Probe, id_: str = "webhooks.probe") -> CheckResult:
    """The worst of its steps first, the facts of the others behind."""
    bad = sorted(
        (step for step in probe.steps if step.status not in (Status.OK, Status.SKIP)),
        key=lambda step: -step.status.rank,
    )
    return CheckResult(
        status=probe.status,
        summary=_summary(probe, bad),
        source="http",
        as_of=probe.as_of,
        measured=_measured(probe),
        limits=_limits(probe),
        evidence=tuple(
            Evidence(f"{step.name}: {step.seen}", "http", probe.as_of, step.detail) for step in bad
        ),
        actions=_actions(bad),
        id=id_,
        title=f"Endpoint {probe.name}",
        rows=ROWS,
    )


def table(probes: Sequence[Probe], *, signed: bool) -> Table:
    """Every step of every endpoint, in the order in which they were taken."""
    return Table(
        id="steps",
        title="Probed",
        columns=_COLUMNS,
        rows=tuple(_row(probe, step) for probe in probes for step in probe.steps),
        note=_note(probes, signed=signed),
    )


def _row(probe: Probe, step: Step) -> tuple[Cell | None, ...]:
    latency = None if step.latency_ms is None else round(step.latency_ms, 1)
    return (probe.name, step.name, step.status, latency, step.seen)


def _note(probes: Sequence[Probe], *, signed: bool) -> str:
    if not signed:
        return "No secret was tried: --signed sends genuine events of a type that moves nothing"
    if any(probe.genuine is not None for probe in probes):
        return f"The signed events may have left rows in the event log: {ID_PREFIX}…"
    return ""


def _summary(probe: Probe, bad: Sequence[Step]) -> str:
    if bad:
        worst, *others = bad
        names = ", ".join(dict.fromkeys(step.name for step in others))
        also = f"; also {names}" if names else ""
        return f"{worst.name}: {worst.seen}{also}"
    asked = {step.name: step for step in probe.steps if step.status is Status.OK}
    if "unsigned" not in asked:
        return "nothing was asked"
    latency = asked["unsigned"].latency_ms or 0
    refused = "unsigned and wrongly signed POSTs" if "wrong-signature" in asked else "unsigned POST"
    accepted = ", accepts a genuine one" if "signed" in asked else ""
    return f"answers in {latency:.0f} ms: refuses {refused}{accepted}"


def _measured(probe: Probe) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {
        f"{step.name}_ms": round(step.latency_ms, 1)
        for step in probe.steps
        if step.latency_ms is not None
    }
    if probe.clock_offset_s is not None:
        found["clock_offset"] = round(abs(probe.clock_offset_s), 1)
    if probe.certificate_left_s is not None:
        found["certificate_left"] = round(probe.certificate_left_s)
    return found


def _limits(probe: Probe) -> dict[str, Threshold]:
    found = {}
    if probe.clock_offset_s is not None:
        found["clock_offset"] = CLOCK
    if probe.certificate_left_s is not None:
        found["certificate_left"] = EXPIRY
    return found


def _actions(bad: Sequence[Step]) -> tuple[Action, ...]:
    """Each once: two POSTs that fail for one reason give one advice."""
    return tuple(dict.fromkeys(action for step in bad for action in step.actions))


def _ids(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        plain = re.sub(r"^https?://", "", name.lower())
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "endpoint"
        id_ = f"webhooks.probe-{slug}"
        taken = sum(each == id_ or each.startswith(f"{id_}--") for each in found)
        found.append(f"{id_}--{taken + 1}" if taken else id_)
    return found
