"""Detached processes: started, found again from another process, and ended.

A process is known by its pid *and* the time it was started, so that a pid the kernel has given to
somebody else is never signalled. What a crash left without a record is found by the folder it
works in.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from payops.errors import LabError

POLL_S = 0.01
# In the environment of every process that we start: the folder it works in.
_MARK = "PAYOPS_LAB"
_SERVERS = ("postgres", "initdb", "redis-server")


@dataclass(frozen=True)
class Account:
    """The user a process runs as, when that is not our own."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Started:
    """One process: `pid`, and its start time as the system words it (ticks since boot, or a date).

    The words are only ever compared for equality; empty, it had ended before we could look.
    """

    pid: int
    at: str

    @property
    def running(self) -> bool:
        """Whether this process, and not a later one with the same pid, is alive."""
        return self.pid > 0 and self.at != "" and start_time(self.pid) == self.at


def start_time(pid: int) -> str:
    """When `pid` was started, in the system's own words; empty when it is not running.

    A zombie is not running. Linux: field 22 of /proc/PID/stat (proc(5)); elsewhere `ps`.
    """
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a dead child of our own would stay a zombie
    if sys.platform.startswith("linux"):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return ""
        # The second field is the name in parentheses, and may hold spaces and parentheses itself.
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] in "ZXx" else fields[19]
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    account: Account | None = None,
) -> Started:
    """Start `command` in a session of its own: it outlives us and hears no ^C of our terminal.

    It works in `directory`, writes both its outputs to the end of `log`, and makes files that are
    for their owner only.
    `environment` is its environment, ours when None. As root, `account` is the user
    it becomes. Raises LabError when it cannot be executed at all.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        try:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=directory,
                env={**(os.environ if environment is None else environment), _MARK: str(directory)},
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                umask=0o077,
            )
        except OSError as error:
            raise LabError(f"{command[0]} could not be started: {error}") from error
    child.returncode = 0  # it may outlive us, and `start_time` reaps it: nothing for Popen to mind
    return Started(child.pid, start_time(child.pid))


def wait_until(
    ready: Callable[[], bool], *, process: Started, what: str, log: Path, seconds: float
) -> None:
    """Return once `ready()`; LabError with the end of `log` when it died or took too long."""
    limit = time.monotonic() + seconds
    while not ready():
        if not process.running:
            raise LabError(f"{what} ended while starting:\n{last_lines(log)}", hint=f"see {log}")
        if time.monotonic() > limit:
            raise LabError(
                f"{what} was not ready after {seconds:g} s:\n{last_lines(log)}", hint=f"see {log}"
            )
        time.sleep(POLL_S)


def end(process: Started, first: signal.Signals = signal.SIGTERM, *, patience: float = 5.0) -> None:
    """Ask the process to end with `first`, kill it after `patience` seconds, return once gone."""
    for sign, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        if not process.running:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, sign)
        if gone(process, seconds):
            return
    raise LabError(f"process {process.pid} does not end, even when killed")


def gone(process: Started, seconds: float) -> bool:
    """Wait up to `seconds` for the process to end by itself; whether it did."""
    limit = time.monotonic() + seconds
    while process.running:
        if time.monotonic() > limit:
            return False
        time.sleep(POLL_S)
    return True


def left_behind(directory: Path) -> list[Started]:
    """Processes of the lab's that work in `directory` or below it: what a crash left unrecorded.

    Somebody's shell or editor in that folder is not among them: only database servers, and what
    carries the mark that `start` gives. Where there is no /proc, the command line has to do.
    """
    place = str(directory)
    pids = _by_proc(place) if sys.platform.startswith("linux") else _by_command_line(place)
    found = (Started(pid, start_time(pid)) for pid in pids if pid != os.getpid())
    return [process for process in found if process.at]


def _by_proc(place: str) -> list[int]:
    mark = os.fsencode(f"{_MARK}=")
    pids = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            working = str((entry / "cwd").readlink()).removesuffix(" (deleted)")
            if working != place and not working.startswith(place + os.sep):
                continue
            # Servers that set their title write over their environment.
            server = (entry / "exe").readlink().name.removesuffix(" (deleted)") in _SERVERS
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if server or any(variable.startswith(mark) for variable in variables):
            pids.append(int(entry.name))
    return pids


def _by_command_line(place: str) -> list[int]:
    listed = subprocess.run(
        ["ps", "axww", "-o", "pid=,command="], capture_output=True, text=True, check=False
    )
    pids = []
    for line in listed.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        program = Path(command.split(" ", 1)[0]).name
        if place in command and (program in _SERVERS or " payops.lab." in command):
            pids.append(int(pid))
    return pids


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, indented, for the message that says why a server failed."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) or "    (its log is empty)"
