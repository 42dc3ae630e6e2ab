"""What a run needs of the outside: a person to talk to, and payops' own commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from payops.domain.people import nameless
from payops.domain.report import Report
from payops.domain.runbook import Runbook, Step
from payops.domain.text import harmless, shortened
from payops.runbook.lines import CommandLine

Word = Literal["go", "no", "skip", "back", "quit", "note"]

INTERRUPTED = 130
"""The exit status of a command that ^C ended."""


@dataclass(frozen=True)
class Reply:
    """What a person said: to go on (`text` is then the answer), or one of the words that are
    understood at any step. A `note` has its text."""

    word: Word
    text: str = ""


@dataclass(frozen=True)
class Where:
    """Where one is, to be shown above a step. `clock` is the line of the clock, `line` the command
    that payops would run or the checks that it would ask, with every name filled in."""

    runbook: Runbook
    step: Step
    number: int
    of: int
    clock: str
    line: str


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit status, its report where it makes one, and what it wrote."""

    code: int
    report: Report | None = None
    text: str = ""


class Person(Protocol):
    """Whoever is led through it. Each question takes the words of `Reply` beside its own answers,
    and gives `quit` when nobody is there any more."""

    def show_step(self, where: Where) -> None:
        """The heading of a step, and what it is about."""

    def ready(self, where: Where) -> Reply:
        """Before payops looks, runs or waits: `go`."""

    def choose(self, question: str, answers: Sequence[str]) -> Reply:
        """One of the answers, in `text`."""

    def did(self, where: Where) -> Reply:
        """After an instruction: `go` when it was done, `no` when it was not."""

    def say(self, question: str) -> Reply:
        """A line of text of theirs; it may be empty."""

    def agree(self, plan: Path) -> Reply:
        """Before a plan that was shown is applied: `go` or `no`. In production the environment's
        name was typed when it is `go`."""

    def pause(self, seconds: float, text: str) -> Reply:
        """Waits so long, with `text` visible: `go`, or what they said when they broke it off."""

    def tell(self, text: str) -> None:
        """A line to them."""


class Commands(Protocol):
    """payops itself."""

    def read(self, words: Sequence[str]) -> CommandLine:
        """The words behind `payops`, as the command line understands them. Raises UsageError."""

    def check(self, ids: str, *, since: datetime | None, shown: bool) -> Report:
        """Ask checks of `payops health`: ids and globs by commas. `since` begins their window;
        None: as the run looks. Raises UsageError."""

    def run(self, words: Sequence[str], *, shown: bool) -> Ran:
        """Run a command; what it writes is seen as it comes, where it is to be `shown`."""

    def apply(self, plan: Path, digest: str) -> Ran:
        """Apply a plan that somebody agreed to; another one that lies there now is refused."""


def clean(text: str, longest: int = 600) -> str:
    """Text from outside on one line, for the journal and the ticket, where nobody is named."""
    from payops.domain.secret import redact

    return shortened(harmless(nameless(redact(" ".join(text.split())))), longest)
