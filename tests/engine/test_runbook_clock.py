"""The clock: against the target, and whom to call, by the configuration alone."""

from __future__ import annotations

import pytest

from payops.config.section import Duration
from payops.config.settings import EscalationLevel
from payops.engine.runbook_clock import clock, whom_to_call

LEVELS = (
    EscalationLevel(level="L3", contact="specialist", after=Duration(3600)),
    EscalationLevel(level="L1", contact="on call", after=Duration(0)),
    EscalationLevel(level="L2", contact="payments lead", after=Duration(1800)),
)


@pytest.mark.parametrize(
    ("elapsed", "mttr", "levels", "expected"),
    [
        (240, 1200, LEVELS, "4 min of 20 min, L2 payments lead in 26 min"),
        (240, 1200, (), "4 min of 20 min"),
        (240, None, (), "4 min"),
        (1500, 1200, LEVELS, "25 min of 20 min: 5 min over, L2 payments lead in 5 min"),
        (1800, None, LEVELS, "30 min, L3 specialist in 30 min"),
        (4200, None, LEVELS, "1 h 10 min, L3 specialist since 10 min"),
    ],
)
def test_the_line(
    elapsed: float, mttr: float | None, levels: tuple[EscalationLevel, ...], expected: str
) -> None:
    assert clock(elapsed, mttr, levels) == expected


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [(60, "call L2 payments lead"), (1801, "call L3 specialist"), (9999, "call L3 specialist")],
)
def test_whom_to_call(elapsed: float, expected: str) -> None:
    assert whom_to_call(elapsed, LEVELS) == expected


def test_nobody_is_built_in() -> None:
    assert whom_to_call(60, ()) == "the configuration names nobody to call (escalation:)"
