"""What a shell, a terminal or a slow password manager does to a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import CRON, passed_on, payops
from sources.hanging import free_port


def test_a_slow_secret_command_makes_nobody_unreachable(tmp_path: Path) -> None:
    path = tmp_path / "payops.yaml"
    path.write_text(
        "environment: lab\n"
        "stripe:\n"
        '  secret_key: {secret_command: [sh, -c, "sleep 1.2; echo sk_test_x"]}\n'
        f'  api_base: "http://127.0.0.1:{free_port()}"\n'
    )
    path.chmod(0o600)
    done = payops(
        *("--config", path, "health", "--only", "stripe.api", "-o", "json", "--deadline", "1s")
    )
    (check,) = json.loads(done.out)["checks"]
    assert "refused" in check["summary"]


@pytest.mark.parametrize(
    "arguments", [["config", "check"], ["config", "show"], ["lab", "down", "--dir", "."], ["init"]]
)
def test_a_name_that_a_terminal_obeys_is_shown(arguments: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b]0;x\x07\u202e"
    folder.mkdir()
    if arguments != ["init"]:
        (folder / "payops.yaml").write_text('environment: "lab\\e[31m\\u202e"\n')
    done = payops(*arguments, cwd=folder, env={"PAYOPS_CONFIG": str(folder / "payops.yaml")})
    assert not set(done.out + done.err) & {"\x1b", "\x07", "\u202e"}
    if arguments[0] == "config":
        assert "lab" in done.out


def test_help_whose_reader_has_gone_is_no_failure() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "payops", "--help"],
        env={**CRON, **passed_on()},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_demo_whose_terminal_is_closed_leaves_nothing(tmp_path: Path, sign: int) -> None:
    tmp_path.chmod(0o755)
    command = subprocess.Popen(
        [sys.executable, "-m", "payops", "demo"],
        env={**CRON, **passed_on(), "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    limit = time.monotonic() + 20
    while not list(tmp_path.glob("payops-demo-*/run/redis.json")):
        assert time.monotonic() < limit
        time.sleep(0.02)
    command.send_signal(sign)
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130
    assert b"interrupted" in said
    assert not list(tmp_path.glob("payops-*"))
    left = [entry.name for entry in Path("/proc").glob("[0-9]*") if _works_in(entry, tmp_path)]
    assert not left


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return str((process / "cwd").readlink()).startswith(str(folder))
    except OSError:
        return False
