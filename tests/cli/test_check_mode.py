"""Check mode of every reporting command, and what a run does beside its report."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families

from command import assert_calm, payops
from listening import listening
from payops.cli.main import app
from payops.errors import LabError
from payops.formats import FORMATS
from payops.lab import laboratory
from payops.lab.info import LabInfo

REPORTING = [
    ["health"],
    ["reconcile"],
    ["reconcile", "payouts"],
    ["reconcile", "external"],
    ["webhooks", "status"],
    ["webhooks", "endpoints"],
    ["webhooks", "undelivered"],
    ["webhooks", "stuck"],
    ["webhooks", "probe"],
    ["keys", "check"],
    ["keys", "scan", "SCANNED"],
    ["circuit", "status"],
    ["circuit", "keys"],
    ["circuit", "idempotency", "no-such-key"],
    ["trace", "pi_nosuchpayment"],
    ["stats"],
    ["connections"],
]
WORDS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}


def options_of(words: list[str]) -> dict[str, str]:
    """The options of a command, with their help."""
    here: object = typer.main.get_command(app)
    for word in words:
        here = getattr(here, "commands", {}).get(word, here)
    return {
        name: getattr(one, "help", "") or ""
        for one in here.params  # type: ignore[attr-defined]
        for name in one.opts
    }


@pytest.mark.parametrize("words", REPORTING, ids=" ".join)
def test_every_reporting_command_has_the_same_options(words: list[str]) -> None:
    options = options_of(words)
    wanted = {"--output", "--check", "--state", "--heartbeat", "--notify", "--write"}
    assert wanted <= options.keys()
    for name in FORMATS:
        assert re.search(rf"\b{name}\b", options["--output"]), name


@pytest.mark.parametrize("words", REPORTING, ids=" ".join)
def test_every_reporting_command_has_a_check_mode(
    lab: LabInfo, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "app.log").write_text("nothing here\n")
    typed = [str(tmp_path / "app.log") if word == "SCANNED" else word for word in words]
    state, metrics = tmp_path / "state", tmp_path / "payops.prom"
    done = payops(
        *("--config", lab.config, *typed, "--check"),
        *("--state", state, "--write", metrics),
        env={"HOME": str(tmp_path)},
    )
    assert "Traceback" not in done.out + done.err
    first = done.out.splitlines()[0]
    assert first.startswith(f"PAYOPS {' '.join(words[:2]).upper()}"[: len("PAYOPS ") + 4])
    assert f" {WORDS[done.code]} - " in first
    assert first.count("|") <= 1
    assert len(first.encode()) <= 1024
    command = metrics.read_text().partition('command="')[2].partition('"')[0]
    assert command.upper() in first
    found = {
        sample.labels["status"]: sample.value
        for family in text_string_to_metric_families(metrics.read_text())
        if family.name == "payops_status"
        for sample in family.samples
    }
    codes = {"OK": 0, "WARN": 1, "CRIT": 2, "UNKNOWN": 3}
    assert [codes[status] for status, value in found.items() if value] == [done.code]
    assert json.loads(state.read_text())["payops_memory"] == 1


# ── memory and messages, as cron would see them ──────────────────────────────────────────────────


@pytest.fixture
def broken(lab: LabInfo) -> Iterator[Path]:
    """The lab with a stuck breaker; healed in the end, whatever happens."""
    directory = Path(lab.dir)
    yield directory
    with suppress(LabError):  # it is healed already
        laboratory.heal(directory, "circuit-stuck-open")


def test_a_trouble_is_new_then_persists_then_is_resolved_and_told_once_each(
    lab: LabInfo, broken: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"

    def run(*more: str) -> tuple[int, dict[str, str]]:
        done = payops(
            *("--config", lab.config, "health", "--only", "circuit,redis.connect", "-o", "json"),
            *("--state", state, "--notify", f"json://127.0.0.1:{chat.port}/tokentoken", *more),
        )
        assert_calm(done)
        assert done.err == ""
        rows = json.loads(done.out)["changes"]
        return done.code, {row["check"]: row["change"] for row in rows}

    with listening() as chat:
        assert run() == (0, {})
        laboratory.inject(broken, "circuit-stuck-open")
        assert run() == (2, {"circuit.state": "new"})
        assert run() == (2, {"circuit.state": "persisting"})
        laboratory.heal(broken, "circuit-stuck-open")
        assert run() == (0, {"circuit.state": "resolved"})
        assert run() == (0, {})
    messages = [json.loads(body) for body in chat.bodies]
    assert [one["title"] for one in messages] == [
        "payops lab health CRIT: 1 new",
        "payops lab health OK: 1 resolved",
    ]
    assert messages[0]["message"].startswith("NEW CRIT circuit.state: breaker stripe is open")
    assert "\n  next: payops --config " in messages[0]["message"]
    assert messages[1]["message"].startswith("RESOLVED OK circuit.state: ")


def config_of(tmp_path: Path) -> Path:
    """A configuration whose Redis is not there: CRIT at once, without a lab."""
    path = tmp_path / "payops.yaml"
    path.write_text("environment: test\nredis: {url: 'redis://127.0.0.1:1/0'}\n")
    return path


def test_a_notifier_that_fails_changes_nothing_and_is_tried_again(tmp_path: Path) -> None:
    config, state = config_of(tmp_path), tmp_path / "state"
    with listening(500) as chat:
        arguments = [
            *("--config", config, "health", "--only", "redis.connect", "--check", "--state", state),
            *("--notify", f"json://user:hunter2hunter2@127.0.0.1:{chat.port}/"),
        ]
        first = payops(*arguments)
        chat.status = 200
        second, third = payops(*arguments), payops(*arguments)
    assert [one.code for one in (first, second, third)] == [2, 2, 2]
    assert first.err.startswith("payops: --notify: json://…: could not be sent: ")
    assert len(first.err.splitlines()) == 1
    assert "hunter2" not in first.out + first.err
    assert second.err == third.err == ""
    assert len(chat.bodies) == 2
    assert json.loads(chat.bodies[1])["title"] == "payops test health CRIT: 1 new"


def test_addresses_come_from_the_environment_where_nobody_sees_them(tmp_path: Path) -> None:
    config, state = config_of(tmp_path), tmp_path / "state"
    with listening() as one, listening() as other:
        done = payops(
            *("--config", config, "health", "--only", "redis.connect", "--check"),
            *("--state", state),
            env={"PAYOPS_NOTIFY": f"json://127.0.0.1:{one.port}/ json://127.0.0.1:{other.port}/"},
        )
    assert (done.code, done.err) == (2, "")
    assert (len(one.bodies), len(other.bodies)) == (1, 1)


def test_reconcile_remembers_classes_that_it_does_not_list(lab: LabInfo, tmp_path: Path) -> None:
    """A page for people leaves out the classes that are empty; the memory must not."""
    done = payops(
        *("--config", lab.config, "reconcile", "--since", "2h", "--state", tmp_path / "state"),
        env={"HOME": str(tmp_path)},
    )
    assert done.code == 0, done.out
    (job,) = json.loads((tmp_path / "state").read_text())["jobs"].values()
    assert "reconcile.missing_in_ledger" in job["checks"]


def test_a_memory_that_cannot_be_is_told_and_changes_nothing(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    before = config.read_text()
    with listening() as chat:
        done = payops(
            *(
                "--config",
                config,
                "health",
                "--only",
                "redis.connect",
                "--check",
                "--state",
                config,
            ),
            *("--notify", f"json://127.0.0.1:{chat.port}/"),
        )
    assert done.code == 2
    assert "is no memory of payops" in done.err
    assert config.read_text() == before
    assert len(chat.bodies) == 1, "rather too many messages than none"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--notify", "json://h/"], "add --state"),
        (["--heartbeat", "not-a-url"], "no http(s) address"),
        (["--write", "missing/x.prom"], "there is no folder"),
        (["--write", "metrics"], "add -o"),
        (["--write", "x.prom", "-o", "yaml"], "'yaml' is not an output"),
    ],
)
def test_what_cannot_be_done_afterwards_is_told_before(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    config_of(tmp_path)
    done = payops("health", "--only", "redis.connect", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (3, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1


# ── the heartbeat ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "end", "said"),
    [
        ("app: {endpoints: []}\nenvironment: test\n", "/fail", "PAYOPS HEALTH UNKNOWN - "),
        ("strip: {}\n", "/fail", "unknown key 'strip'"),
    ],
)
def test_a_heartbeat_starts_and_ends_whatever_comes_between(
    tmp_path: Path, text: str, end: str, said: str
) -> None:
    (tmp_path / "payops.yaml").write_text(text)
    with listening() as switch:
        done = payops(
            "health",
            "--check",
            cwd=tmp_path,
            env={"PAYOPS_HEARTBEAT": f"http://127.0.0.1:{switch.port}/some-long-uuid"},
        )
    assert done.code == 3
    assert switch.paths == ["/some-long-uuid/start", f"/some-long-uuid{end}"]
    assert said in switch.bodies[1]


def test_a_run_that_is_well_pings_success(lab: LabInfo) -> None:
    with listening() as switch:
        url = f"http://127.0.0.1:{switch.port}/id"
        arguments = ["health", "--only", "redis.connect", "--check", "--heartbeat", url]
        done = payops("--config", lab.config, *arguments)
        listed = payops("--config", lab.config, "health", "--list", "--heartbeat", url)
    assert (done.code, listed.code) == (0, 0)
    assert switch.paths == ["/id/start", "/id"], "a list is no run"
    assert switch.bodies[1].startswith("PAYOPS HEALTH OK - ")
    assert "'" not in switch.bodies[1], "a person reads it: no perfdata"


def test_a_heartbeat_that_nobody_hears_changes_nothing(tmp_path: Path) -> None:
    done = payops(
        *("--config", config_of(tmp_path), "health", "--only", "redis.connect", "--check"),
        *("--heartbeat", "http://127.0.0.1:1/5ad7c0f3-9b1e-4c55"),
    )
    assert done.code == 2
    assert "5ad7c0f3" not in done.err
    assert set(done.err.splitlines()) == {
        "payops: the heartbeat was not heard at 127.0.0.1: connection refused"
    }


# ── files ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "mode"), [("a.prom", 0o644), ("a.xml", 0o600), ("a.json", 0o600), ("a.md", 0o600)]
)
def test_a_report_in_a_file_is_whole_and_for_whom_it_is_meant(
    tmp_path: Path, name: str, mode: int
) -> None:
    config, path = config_of(tmp_path), tmp_path / name
    done = payops("--config", config, "health", "--only", "redis.connect", "--write", path)
    assert (done.code, done.out, done.err) == (2, "", "")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    text = path.read_text()
    if name.endswith(".xml"):
        assert ET.fromstring(text).tag == "testsuites"
    elif name.endswith(".json"):
        assert json.loads(text)["status"] == "CRIT"
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([name, config.name])


def test_whoever_reads_metrics_meanwhile_never_sees_half_of_them(tmp_path: Path) -> None:
    config, path = config_of(tmp_path), tmp_path / "a.prom"
    arguments = ["--config", config, "health", "--only", "redis.connect", "--write", path]
    whole: list[bool] = []
    over = threading.Event()
    payops(*arguments)

    def look() -> None:
        while not over.is_set():
            text = path.read_text()
            whole.append(text.startswith("# HELP") and "payops_run_stripe_calls{" in text[-120:])

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(3):
        payops(*arguments)
    over.set()
    reader.join()
    assert whole
    assert all(whole)


def test_a_file_that_cannot_be_written_is_3_and_people_are_still_told(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    with listening() as chat, listening() as switch:
        done = payops(
            *("--config", config, "health", "--only", "redis.connect", "-o", "prometheus"),
            *("--write", "/dev/full", "--state", tmp_path / "state"),
            *("--notify", f"json://127.0.0.1:{chat.port}/"),
            *("--heartbeat", f"http://127.0.0.1:{switch.port}/id"),
        )
    assert done.code == 3
    assert "/dev/full: is not a file" in done.err
    assert len(chat.bodies) == 1
    assert switch.paths == ["/id/start", "/id/fail"]


def test_json_on_stdout_is_alone_there_with_a_memory(tmp_path: Path) -> None:
    done = payops(
        *("--config", config_of(tmp_path), "health", "--only", "redis.connect", "-o", "json"),
        *("--state", tmp_path / "state"),
    )
    (row,) = json.loads(done.out)["changes"]
    assert (row["check"], row["change"], row["before"]) == ("redis.connect", "new", None)


def test_nothing_of_it_is_loaded_for_help() -> None:
    code = (
        "import sys, payops.cli.main\n"
        "heavy = {'apprise', 'urllib3', 'rich', 'payops.engine.memory', 'payops.sources'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
