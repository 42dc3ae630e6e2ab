"""What can be asked of a drill that is under way, from any terminal."""

from __future__ import annotations

import select
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payops.cli.boundary import emit_text, tell
from payops.cli.drill_words import briefing, clock
from payops.cli.invocation import Invocation, show
from payops.errors import PayopsError
from payops.lab.drill import (
    end,
    entries,
    examine,
    found_repaired,
    help_from_outside,
    info_of,
    name_it,
)
from payops.lab.drill_record import Drill, drill_in
from payops.lab.drill_report import ended, running, when_repaired

if TYPE_CHECKING:
    from payops.domain.runbook import Runbook
    from payops.lab.drill import Left

_TICK_S = 1.0
_HELP = """\
Type here: Enter is it repaired?  o have done what only somebody else can
           a scenario's id: say what it is  q end it
"""


class Desk:
    """One drill, in the folder `where`; `given` is the folder as it was typed."""

    def __init__(self, where: Path, given: Path | None, output: str, asked: Invocation) -> None:
        self._where, self._output, self._asked = where, output, asked
        self._flag = f" --dir {shlex.quote(str(given))}" if given else ""

    def told(self) -> int:
        """What people say of it, the configuration to use, and the clock."""
        emit_text(briefing(drill_in(self._where), info_of(self._where).config, self._flag))
        return 0

    def looked(self) -> int:
        """Whether it is repaired, as a report."""
        drill, left = self._examined()
        return show(running(drill, left, self._where), self._output, self._asked)

    def named(self, what: str) -> int:
        """Write down what it is said to be; 0 when that is so, 1 when not."""
        drill = name_it(self._where, what)
        is_right = drill.said[-1].right
        emit_text(f"{what}: {'yes' if is_right else 'no'}. {clock(drill)}\n")
        return 0 if is_right else 1

    def helped(self) -> int:
        """Have somebody outside do what only they can; 1 where there is nothing for them to do."""
        _, done = help_from_outside(self._where)
        for one in done:
            emit_text(f"Done outside: {one}.\n")
        if not done:
            emit_text("There is nothing for anybody else to do: the rest is for payops.\n")
        return 0 if done else 1

    def ended(self, pages: tuple[Runbook, ...], *, keep: bool) -> int:
        """The report, and nothing is left of the drill."""
        drill, left = self._examined()
        since = entries(info_of(self._where))[drill.entries :]
        report = ended(drill, left, self._where, since, pages)
        code = show(report, self._output, self._asked)
        end(self._where, drill, tell, keep=keep)
        if drill.ours and (keep or drill.keep):
            flag = f" --dir {shlex.quote(str(self._where))}"
            tell(f"The lab is still up: payops lab heal{flag}; payops lab down{flag}")
        return code

    def waited(self, pages: tuple[Runbook, ...]) -> int:
        """Show the clock until it is repaired, given up or too late; then the report."""
        self.told()
        emit_text(_HELP)
        while not (drill := drill_in(self._where)).is_over:
            word = _typed(clock(drill))
            if word is None:
                continue
            if word == "q":
                break
            try:
                if self._did(word):
                    break
            except PayopsError as error:
                tell(f"{error}{f'; {error.hint}' if error.hint else ''}")
        return self.ended(pages, keep=False)

    def _did(self, word: str) -> bool:
        """Do what was typed; whether it is repaired."""
        if word == "o":
            self.helped()
        elif word:
            self.named(word)
            return False
        _, left = self._examined()
        count = len(left.by_checks) + len(left.unseen)
        tell("It is repaired." if left.nothing else f"Not yet: {count} of it still there.")
        return left.nothing

    def _examined(self) -> tuple[Drill, Left]:
        """What still stands of it; since when it does not is written down."""
        drill = drill_in(self._where)
        left = examine(self._where, drill)
        since = entries(info_of(self._where))[drill.entries :]
        at = when_repaired(drill, since, datetime.now(UTC))
        return found_repaired(self._where, drill, left, at), left


def _typed(prompt: str) -> str | None:
    """The line that was typed within a second; None when none was. The end of input is `q`."""
    sys.stderr.write(f"\r{prompt} ")
    sys.stderr.flush()
    ready, _, _ = select.select([sys.stdin], [], [], _TICK_S)
    if not ready:
        return None
    line = sys.stdin.readline()
    return line.strip() if line else "q"
