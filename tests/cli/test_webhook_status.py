"""`payops webhooks status|endpoints|undelivered|stuck` as an operator runs them."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path

import pytest

from command import assert_calm, payops
from payops.lab import laboratory
from payops.lab.info import LabInfo

COMMANDS = ("status", "endpoints", "undelivered", "stuck")


@pytest.mark.parametrize("command", COMMANDS)
def test_healthy_is_ok_in_every_output(lab: LabInfo, command: str) -> None:
    done = payops("--config", lab.config, "webhooks", command, "-o", "json")
    assert_calm(done)
    assert done.code == 0, done.out
    report = json.loads(done.out)
    assert report["command"] == f"webhooks {command}"
    for output in ("plain", "markdown", "csv", "nagios"):
        again = payops("--config", lab.config, "webhooks", command, "-o", output)
        assert_calm(again)
        assert again.code == 0


def test_what_json_holds(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "webhooks", "status", "-o", "json")
    report = json.loads(done.out)
    assert report["causes"] == []
    stages = [row["stage"] for row in report["funnel"]]
    assert stages == ["created", "delivered", "received", "processed", "had", "in the ledger"]
    assert {row["to"] for row in report["lag"]} == {"received", "processed"}
    assert [row["state"] for row in report["endpoints"]] == ["enabled"]


def test_lists_filter(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "webhook-login-wall")
    try:
        config = ("--config", lab.config)
        every = json.loads(payops(*config, "webhooks", "undelivered", "-o", "json").out)["events"]
        assert {row["cause"] for row in every} == {"endpoint-forbids"}
        succeeded = payops(
            *config, "webhooks", "undelivered", "--type", "*.succeeded", "--limit", "2", "-o", "csv"
        )
        rows = list(csv.DictReader(StringIO(succeeded.out)))
        assert len(rows) == 2
        assert all(row["type"].endswith(".succeeded") for row in rows)
        none = payops(*config, "webhooks", "undelivered", "--older", "2d", "-o", "json")
        assert (none.code, json.loads(none.out)["events"]) == (0, [])
        other = payops(*config, "webhooks", "undelivered", "--cause", "endpoint-fails")
        assert other.code == 0
        stuck = payops(*config, "webhooks", "stuck", "-o", "json")
        assert json.loads(stuck.out)["events"] == []
        status = payops(*config, "webhooks", "status", "--check")
        assert status.code == 2
        assert "webhooks.endpoint-forbids" in status.out
    finally:
        laboratory.heal(Path(lab.dir))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("undelivered", "--cause", "bad luck"), "causes: endpoint-unreachable"),
        (("status", "--signed", "--no-probe"), "--no-probe"),
        (("status", "--since", "tomorrow"), "--since"),
        (("stuck", "--older", "old"), "--older"),
    ],
)
def test_usage_errors(lab: LabInfo, arguments: tuple[str, ...], said: str) -> None:
    done = payops("--config", lab.config, "webhooks", *arguments)
    assert_calm(done)
    assert done.code == 3
    assert said in done.err


def test_where_nothing_tells_nothing_is_called_stuck_or_not(lab: LabInfo, tmp_path: Path) -> None:
    """With a dead database `none` would be a lie: its rows are what tells."""
    config = tmp_path / "payops.yaml"
    dead = "postgresql://nobody@127.0.0.1:1/none"
    text = Path(lab.config).read_text()
    config.write_text(re.sub(r'dsn: "postgresql:[^"]*"', f'dsn: "{dead}"', text))
    done = payops("--config", str(config), "webhooks", "stuck", "-o", "json")
    checks = {check["id"]: check for check in json.loads(done.out)["checks"]}
    assert checks["webhooks.stuck"]["status"] == "UNKNOWN"
    assert "the event log could not be asked" in checks["webhooks.stuck"]["summary"]
    assert (done.code, checks["webhooks.log"]["status"]) == (2, "CRIT")
