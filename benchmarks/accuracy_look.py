"""Looks at each case as `payops diagnose` does, and keeps what was seen: a run that was broken off
goes on where it was, and what was seen can be judged again by other runbooks without a lab.

`build/accuracy/NAME.json.gz` is one look: the observation as a bundle has it, and by which version
of payops' own code it was made.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.accuracy_cases import Case, injected
from payops.config.load import load, located
from payops.domain.deadline import Deadline
from payops.domain.runbook import Runbook
from payops.domain.window import Window
from payops.engine.bundle_kept import as_plain, from_plain
from payops.engine.diagnosis import Seen, examined
from payops.errors import LabError
from payops.lab import laboratory
from payops.runbook.shelf import every_runbook, shipped

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "accuracy"
# A lab is young, as its history ends when it was made: a quiet hour would be an incident.
_CASES_OF_A_LAB = 25
# Stripe counts requests over a second, and two looks within one would be at the limit of test mode.
_APART_S = 1.0
_DEADLINE_S = 10.0  # as that of `payops diagnose`


@dataclass(frozen=True)
class Look:
    """What was seen of a case; None where it cannot be, and `why` that is."""

    case: Case
    seen: Seen | None
    why: str = ""
    version: str = ""


@cache
def version() -> str:
    """A digest of payops' own code; the runbooks are not in it."""
    found = hashlib.sha256()
    for path in sorted((ROOT / "src" / "payops").rglob("*")):
        if path.suffix in (".py", ".sql", ".yaml"):
            found.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]


@cache
def pages() -> tuple[Runbook, ...]:
    """The runbooks that payops ships."""
    return every_runbook(shipped())


def kept(case: Case, *, any_version: bool) -> Look | None:
    """What was seen of it earlier; None where it was not, or by another version."""
    try:
        told = json.loads(gzip.decompress(_file(case).read_bytes()))
    except (FileNotFoundError, EOFError, ValueError, OSError):
        return None
    if not any_version and told["version"] != version():
        return None
    seen = from_plain(told["seen"]) if told["seen"] is not None else None
    return Look(case, seen, told["why"], told["version"])


def keep(look: Look) -> None:
    """Write it down, whole or not at all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    plain: dict[str, Any] = {
        "version": look.version,
        "why": look.why,
        "seen": as_plain(look.seen) if look.seen is not None else None,
    }
    path = _file(look.case)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(gzip.compress(json.dumps(plain, default=str).encode(), mtime=0))
    temporary.replace(path)


def _file(case: Case) -> Path:
    return FOLDER / f"{case.name}.json.gz"


def looks(cases: Iterable[Case], *, any_version: bool = False) -> Iterator[Look]:
    """What is seen of each case, in their order; what is kept of earlier runs is taken from there.

    Labs are used by many cases, one after the other.
    """
    with Labs() as labs:
        for case in cases:
            found = kept(case, any_version=any_version)
            if found is None:
                try:
                    found = labs.look(case)
                except Exception as error:  # noqa: BLE001  an hour's other cases go on
                    print(f"{case.name} could not be tried: {error!r}", file=sys.stderr)
                    labs.renew()
                    continue
                keep(found)
            yield found


class Labs:
    """One lab at a time: made anew for another preset or seed, after so many cases, and where
    something could not be healed."""

    def __init__(self) -> None:
        self._of: tuple[str, int] | None = None
        self._used = 0
        self._last = -_APART_S
        self._root = tempfile.TemporaryDirectory(prefix="payops-accuracy-")
        self._where = Path(self._root.name) / "lab"

    def __enter__(self) -> Labs:
        # Spools and memories are nobody's but this run's.
        self._state = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = str(Path(self._root.name) / "state")
        return self

    def __exit__(self, *error: object) -> None:
        del os.environ["XDG_STATE_HOME"]
        if self._state is not None:
            os.environ["XDG_STATE_HOME"] = self._state
        laboratory.down(self._where)
        self._root.cleanup()

    def look(self, case: Case) -> Look:
        """Make it so, look, and put it right again."""
        self._stand(case)
        why = injected(self._where, case)
        if why:
            return Look(case, None, why, version())
        time.sleep(max(0.0, self._last + _APART_S - time.monotonic()))
        try:
            return Look(case, looked(self._where), "", version())
        finally:
            self._last = time.monotonic()
            self._heal(case)

    def renew(self) -> None:
        """The next case has another lab."""
        self._of = None

    def _heal(self, case: Case) -> None:
        try:
            laboratory.heal(self._where)
        except LabError as error:
            print(f"{case.name} could not be healed: {error}", file=sys.stderr)
            self.renew()

    def _stand(self, case: Case) -> None:
        self._used += 1
        if self._of == (case.preset, case.seed) and self._used < _CASES_OF_A_LAB:
            return
        laboratory.down(self._where)
        options = laboratory.LabOptions(dir=self._where, preset=case.preset, seed=case.seed)
        for last in (False, False, True):
            try:
                laboratory.up(options)
                break
            except LabError:  # a port that was free was taken by somebody else
                if last:
                    raise
        self._of, self._used = (case.preset, case.seed), 0


def looked(where: Path) -> Seen:
    """One look as `payops diagnose` has it."""
    loaded = load(str(where / "payops.yaml"))
    now = datetime.now(UTC)
    began = time.monotonic()
    with located(loaded.path):
        seen = examined(
            loaded.settings,
            Window(now - timedelta(hours=1), now),
            Deadline.after(_DEADLINE_S),
            pages(),
        )
    assert time.monotonic() - began < _DEADLINE_S + 1, "a look that outlives its deadline"
    return seen
