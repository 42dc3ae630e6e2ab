"""What the lab's servers share: a record on disk, a port that is kept, and how they end."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from payops.errors import LabError
from payops.lab import processes
from payops.lab.processes import Started

# Below the range that Linux and macOS give to outgoing connections (32768 and 49152 upwards), so
# that nobody takes a server's port while a scenario has it stopped.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on just now."""
    for _ in range(200):
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise LabError("no free TCP port between 20000 and 32000 on 127.0.0.1")


@dataclass(frozen=True)
class Record:
    """What is kept of a server between commands, in `D/run/NAME.json` (mode 0600).

    `data` is the folder of its data files, `pid` and `started` the process last started (0 when
    none was). `more_ports` are those it listens on beside the first.
    """

    port: int
    password: str
    data: str
    pid: int = 0
    started: str = ""
    more_ports: tuple[int, ...] = ()


class Server:
    """One server of the lab in `directory`; any process can make this object and use it.

    `port` 0 takes the port on record, or a free one the first time. Logs are in `D/logs`.
    """

    name = "server"
    spare_ports = 0

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.directory = Path(directory).absolute()
        self._wanted_port = port
        self.log = self.directory / "logs" / f"{self.name}.log"
        self._record_file = self.directory / "run" / f"{self.name}.json"

    @property
    def record(self) -> Record | None:
        """What is on disk; None before the first start, or when the file is damaged."""
        try:
            raw = json.loads(self._record_file.read_text(encoding="utf-8"))
            return Record(**{**raw, "more_ports": tuple(raw["more_ports"])})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    @property
    def port(self) -> int:
        """The port it listens on. Raises LabError before the first start."""
        return self._known().port

    def reserve(self) -> None:
        """Choose its ports, so that others can be told of them before it runs."""
        self._record_or_new(self._new_data())

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`, for a person."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id; 0 when it is not running."""
        return self._process.pid if self.running else 0

    @property
    def running(self) -> bool:
        """Whether the process that was started last is alive."""
        return self._process.running

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out. Nothing happens when not running."""
        processes.end(self._process, signal.SIGKILL)

    def start(self) -> None:
        """Return once it can be used; nothing happens when it runs already. Raises LabError."""
        raise NotImplementedError

    def stop(self, fast: bool = True) -> None:
        """End it in order, keeping its data."""
        raise NotImplementedError

    def remove(self) -> None:
        """End it, whatever state it is in, and delete data that is not in `directory`."""
        processes.end(self._process)

    @property
    def _process(self) -> Started:
        record = self.record
        return Started(record.pid, record.started) if record else Started(0, "")

    def _known(self) -> Record:
        record = self.record
        if record is None:
            raise LabError(f"{self.name} was never started in {self.directory}")
        return record

    def _new_data(self) -> Path:
        """Where its data shall lie."""
        return self.directory / self.name

    def _record_or_new(self, data: Path) -> Record:
        """The record, or one with a port and a password of its own; on disk when this returns.

        Whatever is made after it can thus be found and removed, wherever we are killed.
        """
        record = self.record or Record(
            self._wanted_port or free_port(),
            secrets.token_hex(16),
            str(data),
            more_ports=tuple(free_port() for _ in range(self.spare_ports)),
        )
        if self._wanted_port:
            record = replace(record, port=self._wanted_port)
        self._keep(record)
        return record

    def _keep(self, record: Record) -> None:
        self._record_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._record_file.with_suffix(".tmp")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(record), file)
        temporary.replace(self._record_file)

    def _keep_process(self, process: Started) -> None:
        self._keep(replace(self._known(), pid=process.pid, started=process.at))
