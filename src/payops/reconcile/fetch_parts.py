"""Rows of one piece on their way to disk: sealed into a complete slice every so often."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from payops.reconcile.spool import Slice, private, telling

# So many objects are read again at most, for each connection, after a SIGKILL.
SEAL_AFTER = 2500


class Part:
    """Writes the rows of a piece, newest first, to a file that is not part of the spool yet.

    What is newer than the oldest second read so far is whole: it can be sealed, given its name,
    while the piece goes on. Not shared between threads.
    """

    def __init__(
        self,
        folder: Path,
        columns: tuple[str, ...],
        until: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._header = (",".join(columns) + "\n").encode()
        self._now = now
        self._until = until
        self._second = -1
        self._draft = folder / f".{until}.{id(self):x}.part"
        self._begin(b"", 0)

    def add(self, newer: bytes, newer_count: int, oldest: bytes, count: int, second: int) -> int:
        """Append a page: the rows of its oldest `second`, after those that are newer.

        Gives how many objects were sealed by it.
        """
        with telling(self._draft):
            if second != self._second:
                self._whole = self._file.tell() + len(newer)
                self._whole_count = self._count + newer_count
                self._second = second
            self._file.write(newer + oldest)
            self._count += newer_count + count
        return self.seal() if self._whole_count >= SEAL_AFTER else 0

    def seal(self) -> int:
        """Keep what is whole; gives the number of objects kept."""
        if not self._whole_count:
            return 0
        with telling(self._draft):
            self._file.seek(self._whole)
            rest, rest_count = self._file.read(), self._count - self._whole_count
            self._file.truncate(self._whole)
            since, kept = self._second + 1, self._whole_count
            self._keep(since, kept)
            self._until = since
            self._begin(rest, rest_count)
        return kept

    def finish(self, since: int) -> int:
        """The piece is read down to `since`: all of it is whole."""
        with telling(self._draft):
            self._keep(since, self._count)
        return self._count

    def drop(self) -> None:
        """Give up what is not sealed."""
        with contextlib.suppress(OSError):  # the disk may be full: it is given up anyway
            self._file.close()
        with contextlib.suppress(OSError):
            self._draft.unlink()

    def _begin(self, rest: bytes, count: int) -> None:
        with telling(self._draft):
            self._fetched = self._now()
            self._file = private(self._draft)
            self._file.write(self._header + rest)
        self._count = count
        self._second = -1
        self._whole = self._whole_count = 0
        if count:
            self._second, self._whole = self._until - 1, len(self._header)

    def _keep(self, since: int, count: int) -> None:
        self._file.seek(0, os.SEEK_END)
        size = self._file.tell()
        self._file.close()
        name = Slice(since, self._until, self._fetched, count, size).name
        self._draft.rename(self._folder / name)
