"""A runbook being run: the steps that were taken, and what was seen, said and changed at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from payops.domain.money import MoneyAtRisk
from payops.domain.runbook import Kind
from payops.domain.status import Status

SKIPPED = "skipped"
"""Beside the outcomes of a step's kind: a person went past it."""
NOT_ASKED = "not asked"
"""Likewise: `--auto` asks and changes nothing."""


@dataclass(frozen=True)
class Taken:
    """One step as it was taken.

    `number` is its place among `of` steps of its runbook. `seen` says in a line or two what the
    check found, the command answered or the person saw; `status` is that of a check or a command,
    and `expected` whether the page calls it well. `changes` are entries of the journal, `escalated`
    is whom the run named then. `entry` is its own line in the journal (0: it has none).
    """

    runbook: str
    step: str
    kind: Kind
    title: str
    number: int
    of: int
    outcome: str
    began: datetime
    seconds: float
    status: Status | None = None
    expected: bool = True
    verifies: bool = False
    what: str = ""
    seen: str = ""
    answer: str = ""
    money: tuple[MoneyAtRisk, ...] = ()
    changes: tuple[int, ...] = ()
    escalated: str = ""
    entry: int = 0


@dataclass(frozen=True)
class Note:
    """What a person wrote down: when, and at which step."""

    at: datetime
    step: str
    text: str


@dataclass(frozen=True)
class Place:
    """Where a run stands: a step of a runbook; without a step it is at that runbook's end."""

    runbook: str
    step: str = ""


@dataclass(frozen=True)
class Run:
    """A run, finished or not.

    `began` is when the incident is counted from (aware UTC), `started` when the run itself was
    started. `place` is where it goes on. `applying` is the file of a plan of which nobody wrote
    down the end. `ended` is empty while the run is not over. `last` is when something was last
    written of it (None: nothing was).
    """

    id: str
    runbook: str
    began: datetime
    started: datetime
    who: str
    place: Place
    auto: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    taken: tuple[Taken, ...] = ()
    notes: tuple[Note, ...] = ()
    applying: str = ""
    ended: str = ""
    last: datetime | None = None
