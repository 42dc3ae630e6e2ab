"""The routines that payops ships, as cron runs them: well on a lab that is well, and not on one
that is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis as redis_py

from command import payops
from payops.lab.info import LabInfo
from payops.lab.merchant.breaker import FAILURES, STATE

ROUTINES = {
    "daily": {"health", "payments", "events", "rates", "outside"},
    "weekly": {"report", "payments", "payouts", "disputes", "endpoints", "database"},
    "monthly": {"report", "keys", "secrets", "capacity", "journal"},
}


def looked(lab: LabInfo, routine: str, state: Path) -> tuple[int, dict[str, str]]:
    """The exit status, and each step's status that was looked at."""
    done = payops(
        *("--config", lab.config, "runbook", "run", routine, "--auto", "-o", "json"),
        env={"XDG_STATE_HOME": str(state)},
    )
    told = json.loads(done.out)
    return done.code, {each["step"]: each["status"] for each in told["steps"] if each["status"]}


@pytest.mark.parametrize("routine", ROUTINES)
def test_all_is_well(routine: str, lab: LabInfo, tmp_path: Path) -> None:
    code, steps = looked(lab, routine, tmp_path)
    assert code == 0, steps
    assert set(steps) >= ROUTINES[routine]


def test_what_is_wrong_is_named_by_diagnose(lab: LabInfo, tmp_path: Path) -> None:
    client = redis_py.Redis.from_url(lab.redis_url, decode_responses=True)
    kept = {key: client.get(key) for key in (STATE, FAILURES)}
    client.mset({STATE: "open", FAILURES: 7})
    try:
        code, steps = looked(lab, "daily", tmp_path)
    finally:
        client.delete(STATE, FAILURES)
        for key, value in kept.items():
            if value is not None:
                client.set(key, value)
        client.close()
    assert code == 2
    assert (steps["health"], steps["diagnose"], steps["payments"]) == ("CRIT", "CRIT", "OK")
