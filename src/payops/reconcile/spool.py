"""The spool: one run's rows on disk, so that an interrupted run goes on where it was.

    STATE/spool/SCOPE-N/
        lock                    held while a payops works in it; it goes with the process
        spool.json              which kinds are complete, and as of when
        intents/SINCE-UNTIL.FETCHED.COUNT.BYTES.csv      one slice of `created`, complete
        ledger-payments/rows.csv

A file is written under another name and renamed when it is whole, and a slice's name says all that
is known of it, so a run that is killed at any moment leaves nothing half done.

What is used again: by default the slices of an *unfinished* run of the same scope (account and key,
API version, mapping), each for `REUSE` after it was fetched, and only those that lay more than
`SETTLE` in the past when they were fetched, since younger objects were still moving. The window
need not be the same: `--since 24h` typed again a minute later goes on. A finished spool is not used
again unless `reuse` says for how long; a ledger's rows never are. `fresh` starts over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from payops.errors import PayopsError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.window import Window

REUSE = timedelta(minutes=15)
# Objects younger than this when they were fetched are fetched again: payments are confirmed, 3-D
# Secure is passed and money captured mostly within it.
SETTLE = timedelta(minutes=10)
# A finished spool holds customers' payments: it is removed by the first run after this time.
KEEP = timedelta(hours=24)
_STATE = "spool.json"
_LOCK = "lock"
_MOST_TRIES = 100


def state_folder(settings: Settings) -> Path:
    """Where payops keeps what it writes: `paths.state`, else `$XDG_STATE_HOME/payops`."""
    if settings.paths.state:
        return Path(settings.paths.state).expanduser()
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path("~/.local/state").expanduser()) / "payops"


@dataclass(frozen=True)
class Slice:
    """A complete file of the objects created from `since` to before `until` (epoch seconds)."""

    since: int
    until: int
    fetched: datetime
    count: int
    size: int

    @property
    def name(self) -> str:
        """The file's name."""
        fetched = int(self.fetched.timestamp())
        return f"{self.since}-{self.until}.{fetched}.{self.count}.{self.size}.csv"

    @classmethod
    def of(cls, path: Path) -> Slice | None:
        """What a file's name says; None for another file, or one that is not as long as it says."""
        try:
            edges, fetched, count, size, ending = path.name.split(".")
            since, _, until = edges.partition("-")
            found = cls(
                int(since),
                int(until),
                datetime.fromtimestamp(int(fetched), UTC),
                int(count),
                int(size),
            )
        except ValueError:
            return None
        return found if ending == "csv" and path.stat().st_size == found.size else None


class Spool:
    """A folder of rows; see `spool_schema` for its files.

    `Spool.open` takes one for this process, `Spool.at` looks at one that is there.
    """

    def __init__(self, path: Path, *, lock: int | None = None) -> None:
        self.path = path
        self._lock = lock
        self._state: dict[str, Any] = _read(path / _STATE)

    @classmethod
    def at(cls, path: Path) -> Spool:
        """A spool that another has made: its files may be anyone's, named `KIND/*.csv`."""
        return cls(path)

    @classmethod
    def open(
        cls,
        settings: Settings,
        window: Window,
        scope: str,
        *,
        fresh: bool = False,
        reuse: timedelta = timedelta(0),
        now: datetime | None = None,
    ) -> Spool:
        """Take the spool to go on with, or an empty one; old ones are removed.

        A spool that another payops works in is left to it. Raises PayopsError when the folder
        cannot be written.
        """
        moment = now or datetime.now(UTC)
        root = state_folder(settings) / "spool"
        with telling(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _prune(root, moment, max(reuse, KEEP))
            for number in range(1, _MOST_TRIES):
                path = root / f"{scope}-{number}"
                lock = _locked(path)
                if lock is None:
                    continue
                spool = cls(path, lock=lock)
                if fresh or not spool._continues(moment, reuse):
                    spool._empty()
                spool._begin(window, scope, moment)
                return spool
        raise PayopsError(
            f"{root}: {_MOST_TRIES} payops are at work for this account",
            hint="end them, or give this one a folder of its own: paths.state",
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are here: `intents`, `refunds`, `ledger-payments`, …"""
        folders = (each for each in self.path.iterdir() if each.is_dir())
        return tuple(sorted(each.name for each in folders if not each.name.startswith(".")))

    def files(self, kind: str) -> list[Path]:
        """The files of a kind, together one table; empty when there is none.

        No object is in them twice; some may lie beyond the range that was asked for.
        """
        return sorted((self.path / kind).glob("*.csv"))

    def complete(self, kind: str) -> bool:
        """Whether all rows of the kind are here."""
        return bool(self._kind(kind).get("complete"))

    def as_of(self, kind: str) -> datetime | None:
        """When the oldest of its rows was read (of a file: when it was written); None: unknown."""
        text = self._kind(kind).get("as_of")
        return datetime.fromisoformat(text) if text else None

    def count(self, kind: str) -> int:
        """How many rows of the kind there are; 0 until it is complete."""
        return int(self._kind(kind).get("count", 0))

    def remove(self) -> None:
        """Remove the folder, and give it up."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Give the folder up: what is in it stays."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def folder(self, kind: str) -> Path:
        """The folder of a kind, made when it is not there."""
        path = self.path / kind
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def mark(self, kind: str, *, count: int, as_of: datetime) -> None:
        """All rows of the kind are here."""
        state = {"complete": True, "count": count, "as_of": as_of.isoformat()}
        self._state.setdefault("kinds", {})[kind] = state
        self._save()

    def drop(self, kind: str) -> None:
        """Remove all rows of a kind."""
        shutil.rmtree(self.path / kind, ignore_errors=True)
        if self._state.get("kinds", {}).pop(kind, None) is not None:
            self._save()

    def finish(self, now: datetime | None = None) -> None:
        """All kinds are here: the next run does not go on with this spool."""
        self._state["finished"] = (now or datetime.now(UTC)).isoformat()
        self._save()

    def slices(self, kind: str) -> list[tuple[Slice, Path]]:
        """The complete slices of a kind, oldest first."""
        found = ((Slice.of(path), path) for path in self.files(kind))
        slices = [(each, path) for each, path in found if each is not None]
        return sorted(slices, key=lambda pair: (pair[0].since, -pair[0].until))

    def reusable(
        self, kind: str, since: int, until: int, *, reuse: timedelta, now: datetime
    ) -> list[Slice]:
        """The slices of a range that may be used again; every other file of the kind is removed."""
        kept: list[Slice] = []
        keep: set[Path] = set()
        for each, path in self.slices(kind):
            settled = each.until <= (each.fetched - SETTLE).timestamp()
            recent = now - reuse <= each.fetched <= now + timedelta(minutes=1)
            within = each.since < until and since < each.until
            apart = not kept or kept[-1].until <= each.since
            if settled and recent and within and apart:
                kept.append(each)
                keep.add(path)
        for path in self.folder(kind).iterdir():
            if path not in keep:
                path.unlink(missing_ok=True)
        return kept

    def _kind(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self._state.get("kinds", {}).get(kind, {})
        return found

    def _continues(self, now: datetime, reuse: timedelta) -> bool:
        """Whether what is here may be gone on with."""
        finished = self._state.get("finished")
        if not self._state.get("begun"):
            return False
        return not finished or now - datetime.fromisoformat(finished) <= reuse

    def _begin(self, window: Window, scope: str, now: datetime) -> None:
        edges = [window.since.isoformat(), window.until.isoformat()]
        self._state = {"scope": scope, "window": edges, "begun": now.isoformat(), "kinds": {}}
        self._save()

    def _empty(self) -> None:
        for each in self.path.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif each.name != _LOCK:
                each.unlink()
        self._state = {}

    def _save(self) -> None:
        draft = self.path / f".{_STATE}.new"
        with telling(self.path):
            with private(draft) as file:
                file.write(json.dumps(self._state, indent=1).encode())
            draft.replace(self.path / _STATE)


def private(path: Path) -> BinaryIO:
    """A new file of bytes, to be written and read, that nobody else may read."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    return cast("BinaryIO", os.fdopen(handle, "w+b"))


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """What the operating system says about the spool's files as one clear line."""
    try:
        yield
    except OSError as error:
        raise PayopsError(
            f"{error.filename or path}: {error.strerror or error}",
            hint="make room or name another folder (paths.state) and run it again: "
            "what was fetched is kept",
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _locked(path: Path) -> int | None:
    """The folder for ourselves: a handle that holds it, None when another has it."""
    while True:
        path.mkdir(mode=0o700, exist_ok=True)
        try:
            handle = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # removed between the two
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), (path / _LOCK).stat()):
                return handle
        except FileNotFoundError:
            pass
        except BlockingIOError:
            os.close(handle)
            return None
        os.close(handle)


def _prune(root: Path, now: datetime, keep: timedelta) -> None:
    """Remove the spools that no run can go on with, nor is at work in."""
    for path in root.iterdir():
        if not path.is_dir():
            continue
        state = _read(path / _STATE)
        last = state.get("finished") or state.get("begun")
        moment = datetime.fromisoformat(last) if last else _written(path)
        if now - moment <= keep:
            continue
        lock = _locked(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
