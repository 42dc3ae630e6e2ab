"""The append-only record of everything that payops changed.

`journal.jsonl` in the state folder, mode 0600; `journal.head` beside it has the last line's number
and hash, so that an end that was cut off is found. Writers take turns by a lock, and each reads
what the others wrote before it adds a line. A line is on disk when `append` returns.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from payops.domain.secret import redact
from payops.engine.journal_chain import FIRST, Chain, Entry, hash_of, line_of, read_chain
from payops.errors import FailedError, RefusedError

_PATIENCE_S = 10.0
_NOT_THERE = (0, FIRST)


def operator() -> str:
    """Who is at work: `ann@bastion`, behind sudo `ann (root)@bastion`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    asked = os.environ.get("SUDO_USER", "")
    who = f"{asked} ({user})" if asked and asked != user else user
    return f"{who}@{os.uname().nodename}"


class Journal:
    """The journal of one state folder. Safe to use from several processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.jsonl"
        self._head = folder / "journal.head"
        self._lock = folder / "journal.lock"
        self._known: tuple[int, Chain] | None = None  # the file's size when it was read

    def read(self) -> Chain:
        """Everything in it. Raises FailedError when it cannot be read."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            content = b""
        except OSError as error:
            raise self._unusable(error) from error
        return read_chain(content, self._read_head(bool(content)))

    def trusted(self) -> Chain:
        """Everything in it, when it is whole. Raises RefusedError when it was touched."""
        chain = self.read()
        self._must_be_whole(chain)
        return chain

    def prepare(self, entries: int) -> None:
        """Make sure that so many entries can be written. Raises FailedError, RefusedError."""
        with self._locked() as file:
            self._chain(file)
            room = os.statvfs(self.folder)
            needed = entries * 16_384
            if room.f_bavail * room.f_frsize < needed:
                raise FailedError(
                    f"the disk of {self.folder} is full: the journal needs {needed // 1024:,} kB",
                    hint="nothing was changed; make room, or set paths.state",
                )

    def append(self, kind: str, body: Mapping[str, Any]) -> Entry:
        """Write one entry and wait until it is on disk; the entry, with its `seq` and `hash`.

        Every text in it is redacted. Raises FailedError when it cannot be written, RefusedError
        when the file was touched: nothing is added to a journal that cannot be trusted.
        """
        with self._locked() as file:
            chain = self._chain(file)
            if chain.torn:
                chain = self._repair(file, chain)
            entry, _ = self._write(file, chain, kind, body, b"" if chain.ended else b"\n")
            return entry

    def _repair(self, file: int, chain: Chain) -> Chain:
        body = {
            "why": "a crash left a line half written",
            "torn_bytes": len(chain.torn),
            "torn_sha256": hashlib.sha256(chain.torn).hexdigest(),
        }
        _, repaired = self._write(file, chain, "repair", body, b"\n")
        return repaired

    def _write(
        self, file: int, chain: Chain, kind: str, body: Mapping[str, Any], before: bytes
    ) -> tuple[Entry, Chain]:
        entry: Entry = {
            **_redacted(dict(body)),
            "seq": chain.seq + 1,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "kind": kind,
            "prev": chain.head,
        }
        entry["hash"] = hash_of(entry)
        line = before + line_of(entry)
        size = os.fstat(file).st_size
        try:
            written = os.write(file, line)
            if written < len(line):
                os.write(file, line[written:])
            os.fsync(file)
        except OSError as error:
            self._known = None
            with suppress(OSError):  # our own bytes alone: the lock is ours
                os.ftruncate(file, size)
            raise self._unusable(error) from error
        self._write_head(entry)
        chain = Chain((*chain.entries, entry), None, b"", chain.repaired + (kind == "repair"))
        self._known = (size + len(line), chain)
        return entry, chain

    def _chain(self, file: int) -> Chain:
        """What is in the file now, read only when it has grown since."""
        size = os.fstat(file).st_size
        if self._known is None or self._known[0] != size:
            self._known = (size, self.read())
        chain = self._known[1]
        self._must_be_whole(chain)
        return chain

    def _must_be_whole(self, chain: Chain) -> None:
        if chain.broken:
            raise RefusedError(
                f"{self.path}, line {chain.broken.line}: {chain.broken.what}",
                hint="the journal was touched, and nothing is changed without one: see `payops "
                "journal verify`, keep the folder as evidence and start with another (paths.state)",
            )

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The open file, nobody else writing."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _opened(self._lock, os.O_RDWR)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._wait_for(lock)
            try:
                file = _opened(self.path, os.O_RDWR | os.O_APPEND)
                if os.fstat(file).st_size == 0 and not self._head.exists():
                    _replace(self._head, f"0 {FIRST}\n")
            except OSError as error:
                raise self._unusable(error) from error
            try:
                yield file
            finally:
                os.close(file)
        finally:
            os.close(lock)

    def _wait_for(self, lock: int) -> None:
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > until:
                    raise FailedError(
                        f"{self._lock} is held by another payops for {_PATIENCE_S:.0f} s",
                        hint=f"see `fuser {self._lock}`",
                    ) from None
                time.sleep(0.02)

    def _read_head(self, there: bool) -> tuple[int, str] | None:
        try:
            number, hash_ = self._head.read_text(encoding="ascii").split()
            return int(number), hash_
        except FileNotFoundError:
            return None if there else _NOT_THERE
        except (OSError, ValueError):
            return None

    def _write_head(self, entry: Entry) -> None:
        """After the line is on disk: an older head is no break, a newer one would be."""
        try:
            _replace(self._head, f"{entry['seq']} {entry['hash']}\n")
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> FailedError:
        return FailedError(
            f"the journal {self.path} cannot be used: {error.strerror or error}",
            hint="without it nothing is changed; make room, or set paths.state",
        )


def _opened(path: Path, flags: int) -> int:
    file = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(file).st_mode & 0o077 and os.fstat(file).st_uid == os.geteuid():
        os.fchmod(file, 0o600)
    return file


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(file, text.encode("ascii"))
    finally:
        os.close(file)
    new.replace(path)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(name)): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value
