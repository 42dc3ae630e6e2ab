"""The person at the terminal, led through a runbook.

All of the talk is on stderr: stdout is for the summary. At every question a few words are
understood beside its answers; ^C at one leaves the run, which can be resumed.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from payops.domain.duration import human_duration
from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.engine.runbook_talk import Reply, Where, Word

_WORDS: dict[str, Word] = {
    "s": "skip",
    "skip": "skip",
    "b": "back",
    "back": "back",
    "q": "quit",
    "quit": "quit",
    "n": "note",
    "note": "note",
}
_HELP = """\
Enter      go on: payops does what the step says
s, skip    go past this step; it counts as not known
b, back    back to the step before
n TEXT     write a note down, for the ticket
q, quit    leave; `payops runbook run ID --resume` goes on here
^C         breaks off what runs; at a question it leaves
?, help    this
"""
_DOES = {
    "check": "Enter asks",
    "run": "Enter runs it",
    "wait": "Enter waits",
    "plan": "Enter makes the plan, which changes nothing yet",
}
_SHORT = "s b n q ?"


class Terminal:
    """`Person` at a terminal. `confirmed` is asked before a plan is applied, where the environment
    wants its name typed; it says whether it was."""

    def __init__(self, *, colour: bool, confirmed: Callable[[Path], bool]) -> None:
        self._colour = colour
        self._confirmed = confirmed

    def show_step(self, where: Where) -> None:
        """The heading, and what the step is about."""
        step = where.step
        self._write("")
        self._write(self._bold(f"[{where.number}/{where.of}] {step.title or step.id}"))
        self._wrapped(f"{where.runbook.id}, {where.clock}")
        if step.kind == "tell":
            self._wrapped(where.line)
        elif step.kind != "ask":
            for line in where.line.splitlines():
                self._write(f"    {harmless(line)}")
        for word, text in (("why", step.why), ("risk", step.risk)):
            if text:
                self._wrapped(f"{word}: {text}")

    def ready(self, where: Where) -> Reply:
        """Enter, or one of the words."""
        return self._until(f"{_DOES[where.step.kind]}; {_SHORT} > ", lambda said: not said)

    def choose(self, question: str, answers: Sequence[str]) -> Reply:
        """One of the answers, or as much of it as tells it from the others."""
        self._wrapped(question)
        while True:
            reply = self._until(f"{' / '.join(answers)} > ", bool, answers)
            if reply.word != "go":
                return reply
            fitting = _fitting(reply.text, answers)
            if len(fitting) == 1:
                return Reply("go", fitting[0])
            self.tell(f"{reply.text!r} is {'several' if fitting else 'none'} of the answers")

    def did(self, where: Where) -> Reply:
        """Enter when it is done, `no` when it is not."""
        yes = {"", "y", "yes", "done"}
        reply = self._until(
            f"Done? [Y/no] {_SHORT} > ", lambda said: said.lower() in {*yes, "no", "not done"}
        )
        return Reply("no") if reply.word == "go" and reply.text.lower() not in yes else reply

    def say(self, question: str) -> Reply:
        """Whatever they write."""
        said = self._line(question)
        return Reply("quit") if said is None else Reply("go", said)

    def agree(self, plan: Path) -> Reply:
        """y to apply; Enter is no. What was typed before the plan was to be seen does not count."""
        _forget_typed()
        reply = self._until(
            "Apply it? [y/N] s b q ? > ",
            lambda said: said.lower() in {"", "y", "yes", "n", "no"},
            "n",
        )
        if reply.word != "go":
            return reply
        if reply.text.lower() not in {"y", "yes"}:
            return Reply("no")
        try:
            return Reply("go") if self._confirmed(plan) else Reply("no")
        except KeyboardInterrupt:
            self._write("")
            return Reply("no")

    def pause(self, seconds: float, text: str) -> Reply:
        """A visible countdown; ^C asks what to do."""
        ends = time.monotonic() + seconds
        try:
            while (left := ends - time.monotonic()) > 0:
                self._over_line(f"again in {human_duration(max(1, round(left)))}, {text}")
                time.sleep(min(1.0, left))
        except KeyboardInterrupt:
            self._over_line("")
            return self._until(
                "Enter goes on waiting; s skips it, q leaves > ", lambda said: not said
            )
        self._over_line("")
        return Reply("go")

    def tell(self, text: str) -> None:
        """A line to them."""
        self._wrapped(text)

    # ── how it is said ───────────────────────────────────────────────────────────────────────────

    def _until(
        self, prompt: str, fits: Callable[[str], bool], answers: Sequence[str] = ()
    ) -> Reply:
        """Ask until the answer `fits` or is one of the words; a word that is also the beginning of
        an answer is asked for in full."""
        while True:
            said = self._line(prompt)
            if said is None:
                return Reply("quit")
            first, _, rest = said.partition(" ")
            word = _WORDS.get(first.lower())
            if said.lower() in {"?", "h", "help"}:
                self._write(_HELP.rstrip())
            elif word == "note" and rest:
                return Reply("note", rest)
            elif word and not rest and _fitting(first, answers):
                if len(first) > 1 or first.lower() == "n" or not answers:
                    return Reply("go", said)
                self.tell(f"{first!r} is an answer and {word}: write it out")
            elif word == "note" and not rest:
                return self._note()
            elif word and not rest:
                return Reply(word)
            elif fits(said):
                return Reply("go", said)
            else:
                wanted = f", write {' or '.join(answers)}" if answers else ""
                self.tell(f"{said!r} is not understood{wanted}; ? tells what is")

    def _note(self) -> Reply:
        text = self._line("Note: ")
        return Reply("quit") if text is None else Reply("note", text)

    def _line(self, prompt: str) -> str | None:
        """A line that was typed; None at its end and for ^C."""
        self._put(harmless(prompt))
        try:
            line = sys.stdin.readline()
        except (KeyboardInterrupt, OSError, ValueError):
            line = ""
        if not line:
            self._write("")
            return None
        return line.strip()

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{harmless(text)}\x1b[0m" if self._colour else harmless(text)

    def _wrapped(self, text: str) -> None:
        for line in text.splitlines():
            shown = textwrap.wrap(
                harmless(redact(line)),
                self._width - 4,
                break_long_words=False,
                break_on_hyphens=False,
            )
            for each in shown or [""]:
                self._write(f"    {each}" if each else "")

    def _over_line(self, text: str) -> None:
        """In the place of the line that is there, on a terminal; nothing of it stays."""
        if sys.stderr.isatty():
            self._put("\r\x1b[K" + shortened(harmless(redact(text)), self._width - 1))

    @property
    def _width(self) -> int:
        return max(40, min(shutil.get_terminal_size((80, 24)).columns, 100))

    def _write(self, text: str) -> None:
        self._put(text + "\n")

    def _put(self, text: str) -> None:
        with suppress(OSError):  # the terminal is gone: the next question says so
            sys.stderr.write(redact(text))
            sys.stderr.flush()


class Nobody:
    """`Person` of `--auto`: told what happens, and never asked."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def show_step(self, where: Where) -> None:
        """One line a step."""
        title = where.step.title or where.step.id
        self._tell(f"payops: [{where.number}/{where.of}] {title}: {shortened(where.line, 100)}")

    def tell(self, text: str) -> None:
        """A line of progress."""
        self._tell(f"payops: {text}")

    def ready(self, where: Where) -> Reply:
        """Nobody says yes."""
        return Reply("skip")

    def choose(self, question: str, answers: Sequence[str]) -> Reply:
        """Nobody answers."""
        return Reply("skip")

    def did(self, where: Where) -> Reply:
        """Nobody did it."""
        return Reply("skip")

    def say(self, question: str) -> Reply:
        """Nobody saw anything."""
        return Reply("skip")

    def agree(self, plan: Path) -> Reply:
        """Nobody agrees."""
        return Reply("no")

    def pause(self, seconds: float, text: str) -> Reply:
        """Nothing was changed, so there is nothing to wait for."""
        return Reply("skip")


def _fitting(said: str, answers: Sequence[str]) -> list[str]:
    """The answers that begin with what was said; the one that is just that, where there is one."""
    exact = [each for each in answers if each.lower() == said.lower()]
    return exact or [each for each in answers if each.lower().startswith(said.lower())]


def _forget_typed() -> None:
    """What was typed ahead is no answer to a question that was not yet to be seen."""
    import termios

    with suppress(OSError, ValueError, termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
