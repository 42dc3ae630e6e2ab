"""One replay at a time: a lock in the state folder, and that of `payops apply` in the database."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from payops.errors import FailedError, RefusedError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources.writer_lock import Lock


class ReplayLock:
    """Held until `free`. The one keeps out other runs of this machine to the same endpoint
    (`fingerprint`, as in the plan's target), the other those elsewhere, where there is a database
    to meet in."""

    def __init__(self, settings: Settings, folder: Path, who: str, fingerprint: str) -> None:
        self._postgres = settings.postgres
        digest = hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        self._path = folder / f"replay-{digest}.lock"
        self._who = who
        self._file: int | None = None
        self._lock: Lock | None = None

    def take(self) -> None:
        """Raises RefusedError when somebody else is at work, SourceError when the database does not
        answer."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                "another replay to this endpoint is at work on this machine",
                hint="wait for it to end, then look at `payops journal` and run this again",
            ) from None
        except OSError as error:
            raise FailedError(
                f"{self._path} cannot be used: {error.strerror or error}",
                hint="make room, or set paths.state",
            ) from error
        if self._postgres is not None:
            from payops.sources.writer_lock import Lock

            dsn = self._postgres.write_dsn or self._postgres.dsn
            self._lock = Lock(self._postgres, dsn.reveal(), f"payops apply {self._who}")
            self._lock.take()

    def still_held(self) -> None:
        """Raises SourceError when the database's lock is gone."""
        if self._lock is not None:
            self._lock.still_held()

    def free(self) -> None:
        """Let others go on."""
        if self._lock is not None:
            self._lock.free()
            self._lock = None
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None
