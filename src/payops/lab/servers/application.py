"""The lab's own programs as servers: the Stripe simulator and the merchant application.

Both are modules of payops, run by the same Python in a process of their own. Each writes a JSON
file with its pid and addresses once it is ready.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import payops
from payops.lab import processes
from payops.lab.servers.server import Server


class Application(Server):
    """`python -m MODULE` in `directory`; it writes `directory`/NAME.json when it is ready."""

    module = ""
    patience_s = 15.0

    def configure(self, configuration: Mapping[str, Any]) -> None:
        """Write the program's configuration to `D/run/NAME.config.json` (mode 0600)."""
        self._configuration_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with open(os.open(self._configuration_file, flags, 0o600), "w") as file:
            json.dump(configuration, file, indent=2)

    def start(self) -> None:
        """Return once it has said that it is ready; nothing happens when it runs already.

        `configure` comes before the first start. Raises LabError with the end of its log when it
        ends or is not ready in `patience_s` seconds.
        """
        if self.running:
            return
        self._record_or_new(self._new_data())
        self._told_file.unlink(missing_ok=True)
        process = processes.start(
            # -P: the lab's folder is no place to import modules from.
            [sys.executable, "-P", "-m", self.module, *self._arguments()],
            log=self.log,
            directory=self.directory,
            environment=_environment(),
        )
        self._keep_process(process)
        processes.wait_until(
            lambda: self._told().get("pid") == process.pid,
            process=process,
            what=self.module,
            log=self.log,
            seconds=self.patience_s,
        )

    def stop(self, fast: bool = True) -> None:
        """SIGTERM, and SIGKILL after 5 s. `fast` is for symmetry with PostgreSQL."""
        del fast
        processes.end(self._process)

    @property
    def url(self) -> str:
        """Its own address. Raises LabError before `reserve` or the first start."""
        return f"http://{self.address}"

    @property
    def control_port(self) -> int:
        """The port at which its faults are set. Raises LabError before `reserve`."""
        return self._known().more_ports[0]

    @property
    def control_url(self) -> str:
        """The address at which its faults are set. Raises LabError before `reserve`."""
        return f"http://127.0.0.1:{self.control_port}"

    @property
    def _configuration_file(self) -> Path:
        return self.directory / "run" / f"{self.name}.config.json"

    @property
    def _told_file(self) -> Path:
        return self.directory / f"{self.name}.json"

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self._told_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _arguments(self) -> Sequence[str | Path]:
        return ("--config", self._configuration_file)


class StripeSimulator(Application):
    """Stripe's API, webhooks and status page, played back from a file in `directory`."""

    name = "stripe"
    module = "payops.lab.stripe"
    _load: tuple[Path, ...] = ()
    spare_ports = 2

    def start_with(self, objects: Sequence[Path]) -> None:
        """Start it with NDJSON files of Stripe objects, to be loaded before it answers."""
        self._load = tuple(objects)
        # About 40,000 objects a second; the wait ends at once when it dies over one of them.
        self.patience_s = 900.0
        try:
            self.start()
        finally:
            self._load = ()

    @property
    def status_url(self) -> str:
        """The address of the status page. Raises LabError before `reserve`."""
        return f"http://127.0.0.1:{self._known().more_ports[1]}"

    def _arguments(self) -> Sequence[str | Path]:
        control, status = self._known().more_ports
        return (
            *("--dir", self.directory, "--config", self._configuration_file),
            *("--port", str(self.port)),
            *("--control-port", str(control), "--status-port", str(status)),
            *(word for path in self._load for word in ("--load", path)),
        )


class Merchant(Application):
    """The shop that takes the payments, with its webhook endpoint and health page."""

    name = "merchant"
    module = "payops.lab.merchant"
    spare_ports = 2

    @property
    def webhook_port(self) -> int:
        """The port that Stripe delivers to. Raises LabError before `reserve`."""
        return self._known().more_ports[1]

    @property
    def webhook_url(self) -> str:
        """The address that Stripe delivers to, without a path. Raises LabError before `reserve`."""
        return f"http://127.0.0.1:{self.webhook_port}"


def _environment() -> dict[str, str]:
    """Ours, with payops importable from another folder when it runs from its source tree."""
    source = Path(payops.__file__).resolve().parents[1]
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if source.name not in ("site-packages", "dist-packages"):
        given.insert(0, str(source))
    paths = os.pathsep.join(os.path.abspath(path) for path in given)
    return {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}
