"""A Python that has the libraries loaded and becomes `payops ...` when asked: see `warm.py`.

It runs as a script of its own, so that a fork is taken where no thread is. What is loaded is what
others wrote: payops itself is imported by each command anew, in the order in which the command
would, and the interpreter ends as any does.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import socket
import sys

import duckdb  # noqa: F401
import msgspec  # noqa: F401
import psycopg  # noqa: F401
import redis  # noqa: F401
import rich.console
import rich.live
import rich.table  # noqa: F401
import stripe  # noqa: F401
import tabulate  # noqa: F401
import typer  # noqa: F401
import urllib3  # noqa: F401
import yaml  # noqa: F401


def wanted(control: socket.socket) -> dict[str, object]:
    """Serve until this process is one that is to be a command: what it is to be."""
    while True:
        told, given, _, _ = socket.recv_fds(control, 1 << 20, 4)
        if not told:
            os._exit(0)  # whoever asked is gone
        if os.fork():
            for each in given:
                os.close(each)
            continue
        # A process that waits for the command, so that this one can hear the next request.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        answer = socket.socket(fileno=given[0])
        command = os.fork()
        if command:
            for each in given[1:]:
                os.close(each)
            with contextlib.suppress(OSError):  # whoever asked may have waited long enough
                answer.sendall(f"{command}\n".encode())
                _, status = os.waitpid(command, 0)
                answer.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
        answer.close()
        for number, each in enumerate(given[1:]):
            os.dup2(each, number)
            os.close(each)
        found: dict[str, object] = json.loads(told)
        return found


def become(asked: dict[str, object]) -> None:
    """Be `python -m payops` with these arguments, in this folder and environment."""
    os.chdir(str(asked["cwd"]))
    os.environ.clear()
    os.environ.update(asked["env"])  # type: ignore[arg-type]
    sys.argv = ["payops", *asked["arguments"]]  # type: ignore[misc]
    sys.path[0] = os.getcwd()
    runpy.run_module("payops", run_name="__main__", alter_sys=True)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
become(wanted(socket.socket(fileno=int(sys.argv[1]))))
