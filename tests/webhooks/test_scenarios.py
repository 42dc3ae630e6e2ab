"""Each cause injected in a lab, alone and in pairs: named, and nothing else blamed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.config.load import load
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.webhooks import Asking, status
from payops.lab import laboratory
from payops.lab.info import LabInfo
from webhooks.sweeping import ALL_PAIRS, causes_of, of_preset, pairs

ALONE = of_preset("reference")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("path") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=120))
    laboratory.down(directory)


@pytest.fixture(autouse=True)
def healed(lab: LabInfo) -> Iterator[None]:
    yield
    laboratory.heal(Path(lab.dir))


def look(lab: LabInfo, asking: Asking | None = None) -> Report:
    """`payops webhooks status` over a day."""
    settings = load(lab.config).settings
    now = datetime.now(UTC)
    window = Window(now - timedelta(hours=24), now)
    return status(settings, window, Deadline.after(60), asking or Asking())


def causes(report: Report) -> dict[str, dict[str, Any]]:
    """The causes by their word."""
    found: Any = report.extra["causes"]
    return {each["cause"]: each for each in found}


def test_healthy(lab: LabInfo) -> None:
    report = look(lab, Asking(probe=True, signed=True))
    assert causes(report) == {}
    assert {check.status for check in report.checks} == {Status.OK}
    assert {table.id for table in report.tables} == {"funnel", "lag", "endpoints"}


@pytest.mark.parametrize("wanted", ALONE)
def test_alone(lab: LabInfo, wanted: str) -> None:
    laboratory.inject(Path(lab.dir), wanted)
    report = look(lab)
    assert set(causes(report)) == ALONE[wanted].causes
    assert report.status in {Status.WARN, Status.CRIT}
    for cause in causes(report).values():
        assert cause["count"] == len(set(cause["events"])) or cause["count"] > len(cause["events"])
        assert cause["actions"]
        assert cause["since"] <= cause["newest"]


@pytest.mark.slow
@pytest.mark.parametrize("pair", pairs(ALONE), ids=" ".join)
def test_in_pairs(lab: LabInfo, pair: tuple[str, str]) -> None:
    for each in pair:
        laboratory.inject(Path(lab.dir), each)
    wanted = causes_of("reference", *(ALONE[each] for each in pair))
    assert set(causes(look(lab))) == wanted
    if ALL_PAIRS:
        assert set(causes(look(lab, Asking(probe=True, signed=True)))) == wanted


# ── how sure it is ───────────────────────────────────────────────────────────────────────────────


def test_a_signature_is_blamed_by_elimination_until_it_is_asked(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-signature-mismatch")
    unsure = causes(look(lab))["signature-refused"]
    assert (unsure["certain"], unsure["detail"]) == (False, "by elimination")
    sure = causes(look(lab, Asking(probe=True, signed=True)))["signature-refused"]
    assert (sure["certain"], sure["detail"]) == (True, "wrong secret")


@pytest.mark.parametrize(
    ("wanted", "detail"),
    [
        ("webhook-body-altered", "altered body"),
        ("webhook-secrets-swapped", "swapped secrets"),
        ("clock-skew", "clock"),
    ],
)
def test_signed_probes_tell_signatures_apart(lab: LabInfo, wanted: str, detail: str) -> None:
    laboratory.inject(Path(lab.dir), wanted)
    found = causes(look(lab, Asking(probe=True, signed=True)))["signature-refused"]
    assert detail in found["detail"]


def test_without_a_probe_nothing_is_claimed(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-login-wall")
    found = causes(look(lab, Asking(probe=False)))
    assert set(found) == {"undelivered"}
    assert not found["undelivered"]["certain"]


def test_an_event_that_is_never_looked_for_costs_nothing(lab: LabInfo) -> None:
    with_objects = look(lab).stripe_calls
    without = look(lab, Asking(objects=False)).stripe_calls
    assert without < with_objects


# ── one dead dependency never hides the rest ─────────────────────────────────────────────────────


@pytest.mark.parametrize("dead", ["database-down", "redis-down", "stripe-outage"])
def test_a_dead_dependency_hides_nothing_else(lab: LabInfo, dead: str) -> None:
    laboratory.inject(Path(lab.dir), dead)
    report = look(lab)
    by_id = {check.id: check.status for check in report.checks}
    assert report.status is not Status.OK
    blamed = {
        "database-down": {"webhooks.handling", "webhooks.log", "webhooks.ledger"},
        "redis-down": {"webhooks.keys"},
        "stripe-outage": {"webhooks.delivery", "webhooks.endpoints"},
    }[dead]
    assert {by_id[id_] for id_ in blamed} <= {Status.CRIT, Status.UNKNOWN}
    rest = {"webhooks.delivery", "webhooks.handling", "webhooks.endpoints"} - blamed
    if dead != "stripe-outage":
        assert {by_id[id_] for id_ in rest} == {Status.OK}
        assert causes(report) == {}
