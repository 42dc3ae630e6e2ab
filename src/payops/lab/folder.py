"""The lab's folder: taken, locked, and given back with nothing of anybody else's touched."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from payops.errors import LabError
from payops.lab import processes
from payops.lab.info import FILE_NAME

# Says that the folder is a lab's, and with which options it is made; written before all else.
MARKER = ".payops-lab.json"
# What a lab makes in its folder. Anything else there is somebody else's and stays.
_OURS = (
    *(FILE_NAME, "lab.tmp", "payops.yaml", "payops.tmp", "logs", "run", "scenarios"),
    *("redis", "postgres", "stripe", "merchant"),
    *("drill.json", "drill.tmp", "state"),
)
_OURS_BY_START = ("stripe.", ".stripe.", "merchant.", ".merchant.", "snapshot", "history.")


@contextlib.contextmanager
def locked(directory: Path, *, make: bool = False) -> Iterator[None]:
    """Hold the folder for ourselves; a second `lab` command waits.

    With `make` it is taken first (see `take`); else it must exist, and be ours. Raises LabError.
    """
    while True:
        if make:
            take(directory)
        try:
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            if make:
                continue
            raise LabError(f"there is no lab in {directory}", hint="payops lab up") from None
        except OSError as error:
            raise LabError(f"{directory} cannot be opened: {error.strerror}") from error
        try:
            # What lies in it says which processes are ended and which folders are removed.
            if os.fstat(handle).st_uid != os.geteuid():
                raise LabError(f"{directory} belongs to another user")
            fcntl.flock(handle, fcntl.LOCK_EX)
            # It may have been removed, and made anew, while we waited.
            if _same(directory, handle):
                yield
                return
        finally:
            os.close(handle)


def _same(directory: Path, handle: int) -> bool:
    try:
        return os.path.samestat(directory.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def take(directory: Path) -> None:
    """Make the folder (0700), or accept an empty one or a lab's. Raises LabError for any other."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"{directory} cannot be made: {error.strerror}") from error
    # In this order: another `up` may be marking it just now, and the marker is its first file.
    if any(directory.iterdir()) and not is_lab(directory):
        raise LabError(
            f"{directory} is not empty and not a lab's folder, so it is left alone",
            hint="choose another: payops lab up --dir FOLDER",
        )
    if directory.stat().st_uid != os.geteuid():
        raise LabError(f"{directory} belongs to another user")
    directory.chmod(0o700)


def is_lab(directory: Path) -> bool:
    """Whether the folder holds a lab, be it half made."""
    return (directory / MARKER).is_file()


def mark(directory: Path, options: dict[str, Any]) -> None:
    """Make it a lab's folder, from now on to be cleaned up by `down`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with open(os.open(directory / MARKER, flags, 0o600), "w") as file:
        json.dump(options, file)


def marked_options(directory: Path) -> dict[str, Any] | None:
    """The options of the lab in the folder; None when there is none, or they cannot be read."""
    try:
        options = json.loads((directory / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return options if isinstance(options, dict) else None


def end_everybody(directory: Path) -> None:
    """End all processes that work in the folder: what a crash left without a record."""
    for process in processes.left_behind(directory):
        processes.end(process)


def give_back(directory: Path, *, keep: bool = False) -> list[str]:
    """Remove what a lab makes, the marker last, and the folder when that was all.

    With `keep`, an empty folder stays, for another lab. Returns the names of what is not ours and
    was left. Does nothing without the marker.
    """
    if not is_lab(directory):
        return []
    left = []
    for path in sorted(directory.iterdir()):
        if path.name == MARKER:
            continue
        if path.name not in _OURS and not path.name.startswith(_OURS_BY_START):
            left.append(path.name)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (directory / MARKER).unlink()
    if not left and not keep:
        with contextlib.suppress(OSError):  # somebody's working folder, or a mount point
            directory.rmdir()
    return left
