"""Runs the command line at a pseudo terminal, as a person sits at it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

from command import CRON, passed_on

_LONGEST_S = 40.0


class AtTerminal:
    """`payops ...` at a terminal of 80 columns; stdout goes to `report`, where one is given."""

    def __init__(
        self, *arguments: str | Path, env: Mapping[str, str], report: Path | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        out = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if report else slave
        self._process = subprocess.Popen(
            [sys.executable, "-m", "payops", *map(str, arguments)],
            env={**CRON, **passed_on(), "TERM": "xterm", **env},
            stdin=slave,
            stdout=out,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  no other thread is at work here
        )
        os.close(slave)
        if report:
            os.close(out)
        self.seen = ""
        self._read_to = 0

    def until(self, text: str) -> str:
        """What was written since the last call, up to and with `text`."""
        ends = time.monotonic() + _LONGEST_S
        while (at := self.seen.find(text, self._read_to)) < 0:
            assert time.monotonic() < ends, f"{text!r} did not come:\n{self.seen[self._read_to :]}"
            if not self._more(0.2):
                raise AssertionError(f"{text!r} did not come:\n{self.seen[self._read_to :]}")
        part = self.seen[self._read_to : at + len(text)]
        self._read_to = at + len(text)
        return part

    def prompt(self) -> str:
        """The question that is asked next: the last line, once it ends with `> `; empty when the
        program ended instead."""
        ends = time.monotonic() + _LONGEST_S
        while not self.seen[self._read_to :].endswith("> "):
            assert time.monotonic() < ends, f"no question came:\n{self.seen[self._read_to :]}"
            if not self._more(0.2):
                return ""
        self._read_to = len(self.seen)
        return self.seen.splitlines()[-1]

    def type(self, line: str = "") -> None:
        """Write a line, and Enter."""
        os.write(self._master, f"{line}\r".encode())

    def press(self, keys: str) -> None:
        """Write keys without Enter: `\\x03` is ^C."""
        os.write(self._master, keys.encode())

    def kill(self) -> None:
        """SIGKILL, as the machine does when its memory is over."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._end()

    def hang_up(self) -> None:
        """The connection is lost: the terminal is closed."""
        os.close(self._master)
        self._process.wait(_LONGEST_S)

    def ended(self) -> int:
        """Its exit status, once it is over."""
        while self._more(0.2):
            pass
        return self._end()

    def _end(self) -> int:
        code = self._process.wait(_LONGEST_S)
        os.close(self._master)
        return code

    def _more(self, seconds: float) -> bool:
        """Read what there is; False when nothing more can come."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return self._process.poll() is None
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += piece.decode("utf-8", "replace")
        return bool(piece)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
