"""The table of exit statuses (DESIGN): one line on stderr, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import CRON, assert_calm, passed_on
from command import new_payops as payops
from payops.checks import check_ids, without_deep

OWN_FAULT = 3

FILES = {
    "unknown-key": "strip: {}\n",
    "unknown-nested-key": "stripe: {secret_key: sk_test_x, timeuot: 3s}\n",
    "not-yaml": "stripe: [\n",
    "twice": "redis: {url: redis://h}\nredis: {url: redis://i}\n",
    "unset": "stripe: {secret_key: '${NOT_SET_ANYWHERE}'}\n",
    "threshold": "thresholds: {payments.stuck-pendin: {age: {warn: 5m}}}\n",
    "empty": "",
}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["helth"], ["No such command", "Did you mean 'health'"]),
        (["health", "--foo"], ["No such option: --foo"]),
        (["health", "--since"], ["requires an argument"]),
        (["health", "--since", "never"], ["--since", "never"]),
        (["health", "--since", "2099-01-01"], ["not in the past"]),
        (["health", "--deadline", "0"], ["--deadline"]),
        (["health", "-o", "xml"], ["xml", "json"]),
        (["health", "-o", "jsn"], ["jsn", "json"]),
        (["health", "--only", "payments.stuk"], ["payments.stuk", "payments.stuck-pending"]),
        (["health", "--skip", "nothing.*"], ["nothing.*"]),
        (["health"], ["no configuration found", "payops demo"]),
        (["--config", "missing.yaml", "health"], ["missing.yaml", "no such file"]),
        (["--config", ".", "health"], ["is not a file"]),
        (["health", "--config"], ["--config needs a value"]),
        (["config", "check"], ["no configuration found"]),
        (["lab", "status", "--dir", "nolab"], ["no lab", "payops lab up"]),
        (["lab", "inject", "circuit-stuck-open", "--dir", "nolab"], ["no lab"]),
        (["lab", "up", "--preset", "nope", "--dir", "nolab"], ["nope", "reference"]),
        (["lab", "up", "--load", "missing.ndjson", "--dir", "nolab"], ["missing.ndjson"]),
    ],
)
def test_a_usage_error_is_one_line_and_3(
    arguments: list[str], words: list[str], tmp_path: Path
) -> None:
    done = payops(*arguments, cwd=tmp_path)
    assert done.code == OWN_FAULT
    assert done.out == ""
    assert_calm(done)
    assert len(done.err.splitlines()) == 1
    for word in words:
        assert word in done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unknown-key", [":1:", "unknown key 'strip'", "did you mean 'stripe'?"]),
        ("unknown-nested-key", [":1:", "stripe.timeuot", "did you mean 'timeout'?"]),
        ("not-yaml", [":2:"]),
        ("twice", [":2:", "given twice"]),
        ("unset", [":1:", "stripe.secret_key", "NOT_SET_ANYWHERE is not set"]),
        ("threshold", ["payments.stuck-pendin", "did you mean 'payments.stuck-pending'?"]),
    ],
)
def test_bad_configuration_names_file_line_path_and_nearest(
    name: str, words: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "payops.yaml"
    path.write_text(FILES[name])
    for command in (["health"], ["config", "check"]):
        done = payops(*command, cwd=tmp_path)
        assert done.code == OWN_FAULT
        assert_calm(done)
        assert "payops.yaml" in done.err
        for word in words:
            assert word in done.err


@pytest.mark.parametrize("command", ["health", "reconcile"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FILES["unknown-key"], "unknown key 'strip'"),
        ("thresholds: {external.total: {}}\n", "there is no check 'external.total'"),
        ("environment: 'a|b\n", "payops.yaml"),
        (None, "no configuration found"),
    ],
)
def test_check_mode_tells_a_monitor_what_is_wrong(
    command: str, text: str | None, words: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "payops.yaml").write_text(text)
    done = payops(command, "--check", cwd=tmp_path)
    assert done.code == OWN_FAULT
    assert_calm(done)
    (line,) = done.out.splitlines()
    assert line.startswith("PAYOPS UNKNOWN - ")
    assert words in line
    assert "|" not in line, "what follows a bar is perfdata"
    assert words in done.err


def test_check_mode_tells_a_monitor_of_a_misspelling(tmp_path: Path) -> None:
    done = payops("health", "--check", "--foo", cwd=tmp_path)
    assert (done.code, done.out) == (
        OWN_FAULT,
        "PAYOPS UNKNOWN - No such option: --foo. See `payops health --help`\n",
    )


def test_nothing_configured_is_unknown_not_ok(tmp_path: Path) -> None:
    (tmp_path / "payops.yaml").write_text(FILES["empty"])
    done = payops("health", "-o", "json", cwd=tmp_path)
    report = json.loads(done.out)
    assert done.code == 3
    assert report["status"] == "UNKNOWN"
    assert {check["status"] for check in report["checks"]} == {"SKIP"}


def test_another_environment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "payops.yaml").write_text("environment: staging\n")
    done = payops("health", "--environment", "production", cwd=tmp_path)
    assert done.code == OWN_FAULT
    assert "'staging', not 'production'" in done.err


@pytest.fixture
def hung() -> Iterator[int]:
    """A server that accepts and never says a word; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for one in kept:
            one.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def everything_at(port: int) -> str:
    return f"""
preset: reference
environment: lab
stripe:
  secret_key: sk_test_{"4eC39HqL" * 3}
  api_base: http://127.0.0.1:{port}
  status_url: http://127.0.0.1:{port}/current
postgres: {{dsn: "postgresql://shop:hunter2hunter2@127.0.0.1:{port}/shop"}}
redis: {{url: "redis://:hunter2hunter2@127.0.0.1:{port}/0"}}
app: {{endpoints: [{{name: health, url: "http://127.0.0.1:{port}/health"}}]}}
"""


def test_every_source_hung_ends_at_the_deadline_with_every_check(tmp_path: Path, hung: int) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(hung))
    (tmp_path / "refused.yaml").write_text(everything_at(closed_port()))
    for again in (True, True, False):  # a machine may stand still for a moment, not three times
        # The interpreter's own start and end are not payops' waiting.
        quick = payops("--config", "refused.yaml", "health", "-o", "json", cwd=tmp_path)
        done = payops("health", "--deadline", "2s", "-o", "json", cwd=tmp_path)
        if done.seconds < 2 + 0.5 + quick.overhead or not again:
            break
    assert done.seconds < 2 + 0.5 + quick.overhead
    assert done.code == 2
    assert_calm(done)
    report = json.loads(done.out)
    statuses = {check["id"]: check["status"] for check in report["checks"]}
    assert set(statuses) == {*without_deep(check_ids())}
    assert statuses["keys.configured"] == "OK"  # which asks nobody
    assert {id_ for id_, s in statuses.items() if s == "UNKNOWN"} == {"stripe.status-page"}
    alone = ("postgres.", "redis.", "queue.", "payments.", "circuit.", "webhooks.")
    asked = {id_: s for id_, s in statuses.items() if id_.startswith(alone)}
    assert set(asked.values()) <= {"CRIT", "SKIP"}
    assert list(asked.values()).count("CRIT") >= 25
    for id_ in ("stripe.api", "postgres.connect", "redis.connect", "app.health", "queue.depth"):
        assert statuses[id_] == "CRIT"
    assert "hunter2" not in done.out + done.err


def test_every_source_refusing_is_crit_and_quick(tmp_path: Path) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(closed_port()))
    done = payops("health", "-o", "json", cwd=tmp_path)
    assert done.code == 2
    report = json.loads(done.out)
    assert report["duration_ms"] < 4000
    summaries = {check["id"]: check["summary"] for check in report["checks"]}
    for id_ in ("stripe.api", "postgres.connect", "redis.connect", "app.health"):
        assert "connection refused" in summaries[id_]
    assert all(check["actions"] for check in report["checks"] if check["status"] == "CRIT")


def test_unreachable_can_be_mapped(tmp_path: Path) -> None:
    text = everything_at(closed_port()) + "unreachable: UNKNOWN\n"
    (tmp_path / "payops.yaml").write_text(text)
    assert payops("health", "-o", "json", cwd=tmp_path).code == 3


def test_interrupt_is_130_with_one_line(tmp_path: Path, hung: int) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(hung))
    process = subprocess.Popen(
        [sys.executable, "-m", "payops", "health", "--deadline", "30s"],
        cwd=tmp_path,
        env={**CRON, **passed_on()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines() == ["payops: interrupted"]


def test_interrupt_at_any_moment_of_the_start_is_no_traceback(tmp_path: Path, hung: int) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(hung))
    script = (
        "import os, signal, sys, threading, time\n"
        "from payops.__main__ import main\n"
        "seconds = float(sys.argv.pop(1))\n"
        "def interrupt():\n"
        "    time.sleep(seconds)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=interrupt, daemon=True).start()\n"
        "main()\n"
    )
    for seconds in ("0.01", "0.05", "0.15"):
        done = subprocess.run(
            [sys.executable, "-c", script, seconds, "health", "--deadline", "9s"],
            cwd=tmp_path,
            env={**CRON, **passed_on()},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stdout) == (130, "")
        assert done.stderr == "payops: interrupted\n"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(closed_port()))
    shell = f"{sys.executable} -m payops health | head -1; echo status ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell],
        cwd=tmp_path,
        env={**CRON, **passed_on()},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "status 2"


def test_a_reader_that_is_gone_before_the_start_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(closed_port()))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "payops", "health"],
        cwd=tmp_path,
        env={**CRON, **passed_on()},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 2
    assert done.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    (tmp_path / "payops.yaml").write_text(everything_at(closed_port()))
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m payops health {closed}"],
        cwd=tmp_path,
        env={**CRON, **passed_on()},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_help_and_version_are_0() -> None:
    assert payops("--version").out.startswith("payops 0.")
    for arguments in ([], ["--help"], ["-h"], ["health", "--help"], ["lab"], ["config", "-h"]):
        done = payops(*arguments)
        assert done.code == 0, arguments
        assert "Usage: payops" in done.out
        assert done.err == ""


def test_options_of_the_root_may_follow_the_command(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.yaml"
    path.write_text("environment: staging\n")
    for arguments in (
        ["--config", path, "config", "check"],
        ["config", "check", "--config", path],
        ["config", "check", f"--config={path}", "--no-color", "--verbose"],
    ):
        assert payops(*arguments).code == 0


def test_a_folder_that_is_gone_holds_no_configuration(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"rmdir {tmp_path}; exec {sys.executable} -m payops health"],
        cwd=tmp_path,
        env={**CRON, **passed_on()},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == OWN_FAULT
    assert "no configuration found" in done.stderr


def test_a_full_disk_is_said_and_is_no_fault_of_payops(tmp_path: Path) -> None:
    (tmp_path / "payops.yaml").write_text(FILES["empty"])
    for arguments, redirected in (
        ("health", ">/dev/full"),
        ("health", ">/dev/full 2>&1"),
        ("--help", ">/dev/full"),
        ("health --check --foo", ">/dev/full"),
    ):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m payops {arguments} {redirected}"],
            cwd=tmp_path,
            env={**CRON, **passed_on()},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == OWN_FAULT
        told = "payops: the output cannot be written: No space left on device\n"
        if "--foo" in arguments:
            told = "payops: No such option: --foo. See `payops health --help`\n"
        assert done.stderr == ("" if "2>" in redirected else told)


def test_next_commands_ask_the_system_that_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "my shop.yaml"
    path.write_text(everything_at(closed_port()))
    done = payops("health", "--only", "stripe.api", "-o", "json", "--config", path)
    (check,) = json.loads(done.out)["checks"]
    commands = [action["command"] for action in check["actions"] if action["command"]]
    assert commands == [f"payops --config '{path}' health --only stripe.status-page"]
    named_by_environment = payops(
        "health", "--only", "stripe.api", "-o", "json", env={"PAYOPS_CONFIG": str(path)}
    )
    assert "--config" not in named_by_environment.out


def test_the_list_shows_the_limits_in_force(tmp_path: Path) -> None:
    arguments = ("health", "--list", "--only", "payments.stuck-pending")
    assert "warn above 0, crit above 10" in payops(*arguments, cwd=tmp_path).out
    override = "thresholds: {payments.stuck-pending: {count: {warn: 2, crit: null}}}\n"
    (tmp_path / "payops.yaml").write_text(override)
    assert "count in count: warn above 2  [configuration]" in payops(*arguments, cwd=tmp_path).out
    (check,) = json.loads(payops(*arguments, "-o", "json", cwd=tmp_path).out)["checks"]
    assert check["limits"]["count"]["warn"] == 2
    (tmp_path / "payops.yaml").write_text("thresholds: {payments.stuk: {count: {warn: 2}}}\n")
    wrong = payops(*arguments, "-o", "json", cwd=tmp_path)
    (check,) = json.loads(wrong.out)["checks"]
    assert (wrong.code, check["limits"]["count"]["warn"]) == (0, 0)
    assert "payments.stuk" in wrong.err
