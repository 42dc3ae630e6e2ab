"""`payops stats` and `payops connections` as an operator, a pipe and cron run them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from command import assert_calm, payops
from payops.lab.info import LabInfo


def test_in_a_pipe(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "stats", env={"PYTHONIOENCODING": "ascii"})
    assert_calm(done)
    assert done.code == 0, done.out
    assert done.out.isascii()
    assert done.out.startswith("OK       stats ")
    for word in ("PLOT     payments", "TABLE    windows", "TABLE    latency", "TABLE    series"):
        assert word in done.out
    assert "TABLE    series_money" not in done.out, "that is for those who ask"


def test_on_a_terminal_of_80_columns(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "stats", "-o", "table", env={"COLUMNS": "80"})
    assert max(map(len, done.out.splitlines())) <= 80
    assert "│" in done.out


def test_json_adds_up(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "stats", "--since", "24h", "--by", "hour", "-o", "json")
    assert_calm(done)
    found = json.loads(done.out)
    day = next(row for row in found["windows"] if row["window"] == "24h")
    assert sum(row["payments"] for row in found["series"]) == day["payments"] > 0
    volumes: dict[str, int] = {}
    for row in found["series_money"]:
        money = row["volume"]
        volumes[money["currency"]] = volumes.get(money["currency"], 0) + money["minor"]
    assert volumes == {
        row["currency"]: row["volume"]["minor"] for row in found["money"] if row["window"] == "24h"
    }
    assert found["untold"] == {}


def test_csv_is_the_hours_or_what_is_asked_for(lab: LabInfo) -> None:
    hours = payops("--config", lab.config, "stats", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(hours.out)))
    assert len(rows) in (24, 25)
    assert {"since", "payments", "success_rate", "p95_ms"} <= set(rows[0])
    money = payops("--config", lab.config, "stats", "-o", "csv", "--table", "money")
    first = next(csv.DictReader(io.StringIO(money.out)))
    assert {"volume_minor", "volume_currency", "average_minor"} <= set(first)
    assert first["volume_minor"].isdigit()


@pytest.mark.parametrize("period", ["weekly", "monthly"])
def test_reports(lab: LabInfo, period: str, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    done = payops("--config", lab.config, "stats", "--report", period, "--write", path)
    assert_calm(done)
    assert done.code in (0, 1)
    text = path.read_text()
    assert f"payops stats {period}" in text.splitlines()[0]
    assert "```text" in text
    assert "before" in text


def test_check_mode_is_a_nagios_line(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "stats", "--check")
    assert done.code == 0
    assert done.out.startswith("PAYOPS STATS OK - ")
    assert "|" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "minute"], "one of hour, day"),
        (["--report", "yearly"], "one of weekly, monthly"),
        (["--since", "soon"], "--since"),
        (["--since", "60d"], "--by day"),
        (["--table", "nothing"], "series"),
        (["--ledger", "nothing"], "payments"),
        (["--deadline", "0"], "--deadline"),
    ],
)
def test_what_cannot_be_asked(lab: LabInfo, arguments: list[str], words: str) -> None:
    done = payops("--config", lab.config, "stats", *arguments)
    assert done.code == 3
    assert_calm(done)
    assert words in done.err
    assert done.out == ""


def test_connections_are_not_used_here(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "connections")
    assert_calm(done)
    assert "not used here" in done.out
    assert done.code == 3, "a selection in which nothing ran is UNKNOWN"
    assert payops("--config", lab.config, "connections", "7").code == 3
