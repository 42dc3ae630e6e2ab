"""What is known of a drill under way: `drill.json` in the lab's folder, so that another terminal
can ask for it. Scenarios that nobody may know stand in it by a name that hides them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from payops.errors import LabError
from payops.lab.parameter import USUAL, Severity
from payops.lab.scenario import load_scenario, scenario_ids
from payops.lab.veil import unveiled

FILE_NAME = "drill.json"


@dataclass(frozen=True)
class Said:
    """Somebody said what it is: when, what (a scenario or a runbook), and whether it was right."""

    at: datetime
    what: str
    right: bool


@dataclass(frozen=True)
class Helped:
    """Somebody outside did what only they can do about a scenario, named as the lab has it."""

    at: datetime
    scenario: str


@dataclass(frozen=True)
class Drill:
    """A drill: `scenarios` as the lab has their names, hidden ones where it is `blind`.

    `began` is when they were in force (aware UTC), `target_s` the time to repair that the runbooks
    ask for (None: none does), `timeout_s` how long it lasts at most. `seed` makes it again. The lab
    is `ours` where the drill started it, and is stopped with it unless it is to be kept (`keep`).
    `entries` had the journal before it. `repaired` is when it was first found repaired.
    """

    began: datetime
    preset: str
    scenarios: tuple[str, ...]
    seed: int
    blind: bool = False
    severity: Severity = USUAL
    target_s: float | None = None
    timeout_s: float = 3600.0
    ours: bool = True
    keep: bool = False
    entries: int = 0
    said: tuple[Said, ...] = ()
    helped: tuple[Helped, ...] = ()
    repaired: datetime | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """What it truly is."""
        known = scenario_ids()
        return tuple(unveiled(name, known) for name in self.scenarios)

    @property
    def diagnosed(self) -> bool:
        """Whether all of it was called by its name."""
        right = {one.what for one in self.said if one.right}
        return all(right & load_scenario(name).told_as for name in self.scenarios)

    def elapsed_s(self, now: datetime | None = None) -> float:
        """Seconds since it began."""
        return ((now or datetime.now(UTC)) - self.began).total_seconds()

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return self.elapsed_s() > self.timeout_s

    def named(self, what: str, at: datetime) -> Drill:
        """The drill after somebody said what it is."""
        right = any(what in load_scenario(name).told_as for name in self.scenarios)
        return replace(self, said=(*self.said, Said(at, what, right)))

    def save(self, directory: Path) -> None:
        """Write it, whole or not at all."""
        plain = asdict(self)
        plain["began"] = self.began.isoformat()
        plain["repaired"] = self.repaired.isoformat() if self.repaired else None
        for part in ("said", "helped"):
            plain[part] = [{**one, "at": one["at"].isoformat()} for one in plain[part]]
        temporary = directory / "drill.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(plain, file)
        temporary.replace(directory / FILE_NAME)


def drill_in(directory: Path) -> Drill:
    """The drill under way there. Raises LabError where there is none, or its file is damaged."""
    path = directory / FILE_NAME
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LabError(
            f"no drill is under way in {directory}", hint="start one: payops drill --blind"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(
            f"the record of the drill in {directory} is damaged", hint="payops lab down, then again"
        ) from error


def _read(raw: Mapping[str, Any]) -> Drill:
    return Drill(
        **{
            **raw,
            "began": datetime.fromisoformat(raw["began"]),
            "repaired": datetime.fromisoformat(raw["repaired"]) if raw["repaired"] else None,
            "scenarios": tuple(raw["scenarios"]),
            "said": tuple(Said(**{**one, "at": _moment(one["at"])}) for one in raw["said"]),
            "helped": tuple(Helped(**{**one, "at": _moment(one["at"])}) for one in raw["helped"]),
        }
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
