"""The lab's life: up, down, status, and the scenarios set loose in it.

`up` makes real servers with a plausible past; a second `up` finds them, and brings back those
that died. Whatever a crash leaves, `up` and `down` clean up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from payops.errors import LabError
from payops.lab import folder, scenario
from payops.lab.info import LabInfo
from payops.lab.making import make
from payops.lab.options import LabOptions, default_directory
from payops.lab.parameter import USUAL, Severity
from payops.lab.scenario import Lab
from payops.lab.servers.system import Servers

__all__ = [
    "LabOptions",
    "ServerStatus",
    "default_directory",
    "down",
    "heal",
    "inject",
    "mend",
    "status",
    "up",
]

Say = Callable[[str], None]
_TRIES = 3
# What the C library calls it, as PostgreSQL, Redis and Python print it.
_PORT_TAKEN = "address already in use"


@dataclass(frozen=True)
class ServerStatus:
    """One server of the lab. `pid` is 0 when it is not running, `address` is host:port."""

    name: str
    running: bool
    pid: int
    address: str


def _nobody(message: str) -> None:
    """Progress that nobody asked for."""


def up(options: LabOptions, say: Say = _nobody) -> LabInfo:
    """Start a lab, or find it running: the same options give the same lab.

    A lab whose servers died (other than by a scenario) is brought back with its data. `say` is
    told what happens, in lines for a person. Raises LabError when a server does not start (with
    the end of its log; all that was started is ended again), when the folder holds something
    else, or a lab with other options.
    """
    directory = options.dir
    with folder.locked(directory, make=True):
        found = _find(options)
        if found is not None:
            return _revive(directory, found, say)
        if folder.is_lab(directory):
            say(f"cleaning up a half-made lab in {directory}")
            _clear(directory, keep_folder=True)
        try:
            return _made(options, say)
        except BaseException:
            _clear(directory)
            raise


def _made(options: LabOptions, say: Say) -> LabInfo:
    """A new lab. A port is chosen a moment before its server binds it, and may be somebody else's
    by then: so all is made once more, at other ports, a few times."""
    for _ in range(_TRIES - 1):
        folder.mark(options.dir, options.described())
        try:
            return make(options, say)
        except LabError as error:
            if _PORT_TAKEN not in str(error).lower():
                raise
            say("a port was taken meanwhile; starting again at others")
            _clear(options.dir, keep_folder=True)
    folder.mark(options.dir, options.described())
    return make(options, say)


def down(directory: Path, say: Say = _nobody) -> None:
    """End every process of the lab and remove what it made; files of others stay.

    Raises LabError when the folder is there and not a lab's. Nothing to do is fine.
    """
    directory = Path(directory).expanduser().absolute()
    if not directory.exists():
        say(f"there is no lab in {directory}")
        return
    with folder.locked(directory):
        if not folder.is_lab(directory):
            if any(directory.iterdir()):
                raise LabError(
                    f"{directory} is not a lab's folder, so nothing in it was touched",
                    hint="payops lab down --dir FOLDER",
                )
            say(f"there is no lab in {directory}")
            return
        left = _clear(directory)
    if left:
        say(f"left in {directory}, as the lab did not make it: {', '.join(left)}")


def status(directory: Path) -> list[ServerStatus]:
    """Every server of the lab, in the order of their starting; empty when there is no lab."""
    directory = Path(directory).expanduser().absolute()
    if not folder.is_lab(directory):
        return []
    return [
        ServerStatus(server.name, server.running, server.pid, server.address)
        for server in Servers.of(directory)
        if server.record is not None
    ]


def inject(
    directory: Path, scenario_id: str, *, severity: Severity = USUAL, **parameters: object
) -> LabInfo:
    """Break the lab as the scenario says. Returns the lab with the scenario noted.

    `severity` chooses the values of all parameters that are not given. Raises LabError when there
    is no lab, UsageError for an unknown scenario or parameter, and LabError when the scenario is in
    force already.
    """
    found = scenario.load_scenario(scenario_id)
    with _opened(directory) as lab:
        scenario.inject(lab, scenario_id, found, parameters, severity)
        return lab.info


def mend(directory: Path, scenario_id: str) -> LabInfo:
    """Do what somebody outside has to do about a scenario: Redis is restarted, say. What payops
    can repair is left to it, and the scenario is in force until it is healed.

    Raises LabError when there is no lab, the scenario is not in force, or nobody outside is needed.
    """
    with _opened(directory) as lab:
        scenario.mend(lab, scenario_id, scenario.load_scenario(scenario_id))
        return lab.info


def heal(directory: Path, scenario_id: str | None = None) -> LabInfo:
    """Undo a scenario, or all that are in force (the latest first); data is as it was before.

    Raises LabError when there is no lab, or the scenario is not in force.
    """
    with _opened(directory) as lab:
        for one in (scenario_id,) if scenario_id else reversed(lab.info.scenarios):
            scenario.heal(lab, one, scenario.load_scenario(one))
        return lab.info


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[Lab]:
    directory = Path(directory).expanduser().absolute()
    with folder.locked(directory):
        try:
            info = LabInfo.load(directory)
        except ValueError as error:
            raise LabError(
                f"the record of the lab in {directory} is damaged",
                hint="payops lab down, then payops lab up",
            ) from error
        if info is None:
            raise LabError(f"there is no lab in {directory}", hint="start one: payops lab up")
        with Lab(directory, info) as lab:
            yield lab


def _find(options: LabOptions) -> LabInfo | None:
    """The finished lab in the folder; None when there is none. LabError when it is another."""
    try:
        info = LabInfo.load(options.dir)
    except ValueError:
        return None
    if info is None:
        return None
    made_with, wanted = folder.marked_options(options.dir), options.described()
    if made_with != wanted:
        made_with = made_with or {}
        differing = [name for name in wanted if made_with.get(name) != wanted[name]]
        told = ", ".join(f"{name} {made_with.get(name)}" for name in differing)
        raise LabError(
            f"another lab is in {options.dir} ({told})",
            hint="payops lab down first, or a folder of its own: payops lab up --dir FOLDER",
        )
    return info


def _revive(directory: Path, info: LabInfo, say: Say) -> LabInfo:
    """Start again, with their data, the servers that died other than by a scenario."""
    stopped_on_purpose = scenario.stopped_servers(directory)
    dead = [
        server
        for server in Servers.of(directory)
        if not server.running and server.name not in stopped_on_purpose
    ]
    for server in dead:
        say(f"{server.name} had died: starting it again with its data")
        try:
            server.start()
        except LabError as error:
            raise LabError(error.message, hint="payops lab down, then payops lab up") from error
    if dead:
        info = replace(info, pids={server.name: server.pid for server in Servers.of(directory)})
        info.save()
    else:
        say(f"the lab is running already in {directory}")
    return info


def _clear(directory: Path, *, keep_folder: bool = False) -> list[str]:
    """End all processes and remove all data; the names of files that are not ours."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        for removed in [pool.submit(server.remove) for server in Servers.of(directory)]:
            removed.result()
    folder.end_everybody(directory)
    return folder.give_back(directory, keep=keep_folder)
