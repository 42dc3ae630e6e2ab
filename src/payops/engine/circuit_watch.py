"""`payops circuit watch`: every change of a breaker, as it happens, and a log of them.

The log (`circuit.jsonl` in the state folder, a line a transition) is what `circuit status
--history` shows beside the journal; it is no journal, and losing it loses nothing but a memory.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.deadline import Deadline
from payops.domain.table import Cell, Column, Table
from payops.engine.circuit import Breakers, read
from payops.engine.journal import Journal
from payops.errors import SourceError
from payops.reconcile.spool import state_folder
from payops.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

    from payops.config.settings import Settings

LOG = "circuit.jsonl"
_MOST_READ = 4 * 1024 * 1024  # bytes of the log that are looked at, from its end
_YEAR_S = 365 * 86_400.0


@dataclass(frozen=True)
class Transition:
    """One breaker went from one state to another; `before` is None when the watch began. `at` is
    Redis' clock at the first look that saw it."""

    at: datetime
    name: str
    before: str | None
    after: str
    failures: int | None


@dataclass(frozen=True)
class WatchOptions:
    """`every` seconds, until every watched breaker is `until` (None: for ever), for `timeout`
    seconds at most (None: no limit)."""

    name: str = ""
    every: float = 1.0
    until: BreakerState | None = None
    timeout: float | None = None


class Told(Protocol):
    """Whom the watch tells."""

    def changed(self, transition: Transition) -> None:
        """A breaker went to another state (or: what it was when the watch began)."""
        ...

    def looked(self, readings: Sequence[BreakerReading], now: datetime) -> None:
        """All were looked at."""
        ...

    def silent(self, error: SourceError) -> None:
        """Redis did not answer; it is asked again."""
        ...


def watch(
    settings: Settings,
    options: WatchOptions,
    told: Told,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Look until `until` holds, the time is up or `stop` says so; whether `until` was reached (True
    without one). Raises NotConfiguredError, UsageError."""
    ends = time.monotonic() + (_YEAR_S if options.timeout is None else options.timeout)
    sources = Sources(settings, Deadline.after(ends - time.monotonic()))
    states: dict[str, str] = {}
    path = state_folder(settings) / LOG
    try:
        while not stop():
            began = time.monotonic()
            try:
                found = read(settings, sources, options.name)
            except SourceError as error:
                told.silent(error)
            else:
                _compare(found, states, (path, settings.environment), told)
                told.looked(found.readings, found.as_of)
                if options.until and _all_are(found, options.until):
                    return True
            pause = min(began + options.every, ends) - time.monotonic()
            if time.monotonic() + max(pause, 0) >= ends:
                return options.until is None
            time.sleep(max(pause, 0))
        return options.until is None
    finally:
        sources.close()


def _all_are(found: Breakers, state: BreakerState) -> bool:
    return all(one.effective(found.as_of) is state for one in found.readings)


def _compare(found: Breakers, states: dict[str, str], log: tuple[Path, str], told: Told) -> None:
    for one in found.readings:
        state = one.effective(found.as_of)
        word = state.value if state else "unknown"
        before = states.get(one.name)
        if word == before:
            continue
        states[one.name] = word
        transition = Transition(found.as_of, one.name, before, word, one.failures)
        if before is not None:
            _log(*log, transition)
        told.changed(transition)


def _log(path: Path, environment: str, transition: Transition) -> None:
    """One line, written at once; a state folder that cannot be written to ends the watch with a
    word, not silently (OSError)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps(
        {
            "at": transition.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "environment": environment,
            "name": transition.name,
            "from": transition.before,
            "to": transition.after,
            "failures": transition.failures,
        }
    )
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        os.write(file, line.encode() + b"\n")
    finally:
        os.close(file)


def history(settings: Settings, name: str, at_most: int) -> Table:
    """What is remembered of breakers, the newest first: what a watch saw, what payops did."""
    folder = state_folder(settings)
    own = settings.environment  # one state folder may serve several systems
    rows = [*_watched(folder / LOG, own), *_journaled(Journal(folder), own)]
    rows = [row for row in rows if not name or row["name"] == name]
    rows.sort(key=lambda row: str(row["at"]), reverse=True)
    columns = (
        Column("at", "When"),
        Column("name", "Breaker"),
        Column("what", "What", wide=True),
        Column("failures", "Failures"),
        Column("by", "By"),
    )
    cells: tuple[tuple[Cell | None, ...], ...] = tuple(
        (
            _moment(row["at"]),
            str(row["name"]),
            str(row["what"]),
            row["failures"] if isinstance(row["failures"], int) else None,
            str(row["by"]),
        )
        for row in rows[:at_most]
    )
    more = len(rows) - len(cells)
    note = f"{more:,} older ones" if more > 0 else ""
    if not rows:
        note = "nothing is remembered: `payops circuit watch` writes what it sees"
    return Table("history", "What became of them", columns, cells, note)


def _moment(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return None


def _watched(path: Path, environment: str) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _MOST_READ, 0))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            told = json.loads(line)
            change = f"{told['from']} -> {told['to']}"
            seen = {"at": told["at"], "name": told["name"], "failures": told.get("failures")}
            elsewhere = told.get("environment", environment) != environment
        except (ValueError, KeyError, TypeError):
            continue  # half a line: a watch was killed while it wrote
        if not elsewhere:
            found.append({**seen, "what": change, "by": "watch"})
    return found


def _journaled(journal: Journal, environment: str) -> list[dict[str, Any]]:
    """Resets and trips that were carried out in this environment."""
    entries = journal.read().entries
    runs = {
        entry["seq"]
        for entry in entries
        if entry["kind"] == "apply" and entry["target"]["environment"] == environment
    }
    intents = {
        entry["seq"]: entry
        for entry in entries
        if entry["kind"] == "intent"
        and entry.get("run") in runs
        and str(entry.get("remedy", "")).startswith("circuit.")
    }
    return [
        {
            "at": entry["at"],
            "name": intents[entry["intent"]]["table"],
            "what": f"{intents[entry['intent']]['remedy'].removeprefix('circuit.')}: "
            f"{entry['result']}",
            "failures": None,
            "by": f"entry {entry['seq']}",
        }
        for entry in entries
        if entry["kind"] == "outcome" and entry.get("intent") in intents
    ]
