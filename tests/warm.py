"""`payops ...` as a process of its own that need not load the libraries anew.

Two thirds of what a command costs a processor is loading what others wrote. Here a Python that has
loaded it (`warm_server.py`) forks for each command: another process, with an environment, a folder,
streams and an exit status of its own.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

# What an interpreter, or a library while it is loaded, reads of its environment.
_EARLY = ("PYTHON", "LC_", "LANG", "TZ", "COLUMNS", "LINES", "TERM", "FORCE_COLOR", "NO_COLOR")


def depends_on(environment: Mapping[str, str]) -> bool:
    """Whether a new interpreter would be another one by these variables."""
    return any(name.startswith(_EARLY) for name in environment)


def run(
    arguments: list[str], environment: Mapping[str, str], folder: Path | None, timeout: float
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` would, without input; raises subprocess.TimeoutExpired."""
    base = {name: value for name, value in environment.items() if name.startswith(_EARLY)}
    control = _server(os.getpid(), tuple(sorted(base.items())), environment["PATH"])
    asked = {
        "arguments": arguments,
        "env": dict(environment),
        "cwd": str(folder or Path.cwd()),
    }
    ours, theirs = socket.socketpair()
    out, err = os.pipe(), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        told = json.dumps(asked).encode()
        socket.send_fds(control, [told], [theirs.fileno(), nothing, out[1], err[1]])
    finally:
        theirs.close()
        for each in (nothing, out[1], err[1]):
            os.close(each)
    texts: dict[str, str] = {}
    readers = [
        threading.Thread(target=_read, args=(name, end, texts), daemon=True)
        for name, end in (("out", out[0]), ("err", err[0]))
    ]
    for reader in readers:
        reader.start()
    with ours, ours.makefile("r") as answer:
        command = int(answer.readline())
        ours.settimeout(timeout)
        try:
            code = int(answer.readline())
        except TimeoutError:
            os.kill(command, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["payops", *arguments], timeout) from None
    for reader in readers:
        reader.join(timeout)
    return subprocess.CompletedProcess(["payops", *arguments], code, texts["out"], texts["err"])


def _read(name: str, end: int, texts: dict[str, str]) -> None:
    with open(end, encoding="utf-8") as stream:
        texts[name] = stream.read()


@cache
def _server(owner: int, base: tuple[tuple[str, str], ...], path: str) -> socket.socket:
    """The other end of the socket of a server that this process (`owner`) has; it ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm_server.py")), str(theirs.fileno())],
            env={**dict(base), "PATH": path},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    atexit.register(_end, owner, ours, server)
    return ours


def _end(owner: int, control: socket.socket, server: subprocess.Popen[bytes]) -> None:
    control.close()
    if owner == os.getpid():  # what was forked of this process is not the server's parent
        server.wait()
