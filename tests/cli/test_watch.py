"""`payops health --watch` as an operator runs it: on a terminal, in a pipe, ended by ^C."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import CRON, passed_on, payops
from payops.lab import laboratory
from payops.lab.info import LabInfo

WATCH = [sys.executable, "-m", "payops"]
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Nothing there but a Redis that is not there."""
    path = tmp_path / "payops.yaml"
    path.write_text("environment: test\nredis: {url: 'redis://127.0.0.1:1/0'}\n")
    return path


def started(*arguments: str | Path, **streams: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*WATCH, *map(str, arguments)],
        env={**CRON, **passed_on()},
        stdin=subprocess.DEVNULL,
        text=True,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams),
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_pipe_gets_the_start_then_the_summary(config: Path, number: signal.Signals) -> None:
    arguments = ["health", "--only", "redis.connect", "--watch", "1s"]
    running = started("--config", config, *arguments)
    assert running.stdout is not None
    first, second = running.stdout.readline(), running.stdout.readline()
    running.send_signal(number)
    out, err = running.communicate(timeout=20)
    assert "  CRIT     1 check: 1 CRIT\n" in first
    assert "  CRIT     redis.connect: redis does not answer" in second
    assert out.startswith("payops health, test: ")
    assert "\nAt the end:\n" in out
    assert f"payops --config {config}" not in err
    assert "\x1b" not in first + second + out
    assert err == "payops: interrupted\n"
    assert running.returncode == 130


def test_json_is_a_line_a_change_and_nothing_else(config: Path) -> None:
    arguments = ["health", "--only", "redis.connect", "--watch", "1s", "-o", "json"]
    running = started("--config", config, *arguments)
    assert running.stdout is not None
    told = json.loads(running.stdout.readline())
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=20)
    assert (told["check"], told["before"], told["after"]) == ("redis.connect", None, "CRIT")
    assert out == ""


@pytest.mark.parametrize("read", [0, 1, 2])
def test_it_ends_when_nobody_reads_any_more(config: Path, read: int) -> None:
    running = started("--config", config, "health", "--only", "redis.connect", "--watch", "30s")
    assert running.stdout is not None
    for _ in range(read):
        running.stdout.readline()
    running.stdout.close()
    assert running.wait(timeout=20) == 0
    assert running.stderr is not None
    assert running.stderr.read() == ""
    running.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--check"], "--check for cron"),
        (["-o", "nagios"], "'nagios' is not an output of --watch"),
        (["--state", "x"], "--state for cron"),
        (["--write", "x.prom"], "--write for cron"),
    ],
)
def test_what_is_for_cron_is_refused(config: Path, arguments: list[str], words: str) -> None:
    done = payops("--config", config, "health", "--watch", "5s", *arguments, cwd=config.parent)
    assert (done.code, done.out) == (3, "") or "--check" in arguments
    assert words in done.err


@pytest.mark.parametrize("often", ["0s", "0.2s", "soon"])
def test_too_often_is_refused(config: Path, often: str) -> None:
    done = payops("--config", config, "health", "--watch", often)
    assert done.code == 3
    assert "--watch" in done.err


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """A watch on a pseudo-terminal of 80x24."""

    def __init__(self, *arguments: str | Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.running = subprocess.Popen(
            [*WATCH, *map(str, arguments)],
            env={**CRON, **passed_on(), "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def read_until(self, *words: bytes, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not all(word in self.seen for word in words):
            left = ends - time.monotonic()
            assert left > 0, self.seen[-2000:]
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:  # the other end is closed
                    break
        assert all(word in self.seen for word in words), self.seen[-2000:]

    def close(self) -> None:
        if self.running.poll() is None:
            self.running.kill()
        self.running.wait()
        os.close(self.master)


@pytest.fixture
def terminal(lab: LabInfo) -> Iterator[Terminal]:
    shown = Terminal(
        *("--config", lab.config, "health", "--watch", "1s"),
        *("--only", "circuit,stripe.api,payments.success-rate,app.health"),
    )
    yield shown
    shown.close()


def test_a_terminal_is_live_and_left_as_it_was(lab: LabInfo, terminal: Terminal) -> None:
    terminal.read_until(ENTER, b"circuit.state", b"success rate", b"nothing changed")
    laboratory.inject(Path(lab.dir), "circuit-stuck-open")
    try:
        terminal.read_until("OK → ".encode())
    finally:
        laboratory.heal(Path(lab.dir), "circuit-stuck-open")
    terminal.running.send_signal(signal.SIGINT)
    terminal.read_until(LEAVE, b"payops: interrupted")
    assert terminal.running.wait(20) == 130
    live, _, after = terminal.seen.rpartition(LEAVE)
    assert ENTER in live
    text = after.decode()
    assert "payops health, lab: " in text
    assert "(was OK): " in text
    assert "\x1b[?25l" not in text, "the cursor is shown again"
    for number in (b"\x1b[?25h",):
        assert number in terminal.seen[terminal.seen.rindex(b"\x1b[?25l") :]
