"""payops' own commands as the steps of a runbook run them: in this process, seen as they write."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from payops.cli.invocation import Invocation, chosen_output, overheard, show, window_option
from payops.domain.window import Window
from payops.engine.runbook_talk import Ran

if TYPE_CHECKING:
    from payops.config.load import Loaded
    from payops.domain.report import Report
    from payops.domain.result import CheckResult
    from payops.runbook.lines import CommandLine


class _Seen(io.TextIOBase):
    """Writes to a terminal (or nowhere) and keeps a copy."""

    def __init__(self, through: TextIO | None, copy: io.StringIO) -> None:
        super().__init__()
        self._through = through
        self._copy = copy

    def write(self, text: str) -> int:
        self._copy.write(text)
        if self._through is not None:
            self._through.write(text)
        return len(text)

    def flush(self) -> None:
        if self._through is not None:
            self._through.flush()

    def isatty(self) -> bool:
        return self._through is not None and self._through.isatty()

    def fileno(self) -> int:
        return sys.__stderr__.fileno() if sys.__stderr__ is not None else 2

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._through, "encoding", None) or "utf-8"


@dataclass(frozen=True)
class OwnCommands:
    """`Commands` for a run: `asked` are the options before the command, which every step shares,
    `since` the window of checks, `deadline_s` how long they may take."""

    asked: Invocation
    loaded: Loaded
    since: str
    deadline_s: float

    def read(self, words: Sequence[str]) -> CommandLine:
        """As the command line understands them. Raises UsageError."""
        from payops.cli.command_line import parse

        return parse(words)

    def check(self, ids: str, *, since: datetime | None, shown: bool) -> Report:
        """Ask these checks, by the configuration as it is now. Raises UsageError, ConfigError."""
        from payops.checks import ids_in, select, without_deep
        from payops.config.load import located
        from payops.domain.deadline import Deadline
        from payops.engine.health import examine

        loaded = self.asked.load()  # anew: a key may have been put right since the run began
        settings = loaded.settings
        there = ids_in(settings)
        asked = [glob for glob in ids.split(",") if not _of_another_system(glob.strip(), there)]
        chosen = without_deep(select(asked, (), there), asked) if asked else ()
        now = datetime.now(UTC)
        window = Window(since, now) if since else window_option(self.since, now)
        ends = Deadline.after(self.deadline_s)
        with located(loaded.path):
            report = examine(settings, chosen, window=window, deadline=ends)
        if not chosen:
            report = replace(report, checks=(_not_here(ids, now),))
        if shown:
            alone = Invocation(self.asked.config, None, self.asked.no_color, self.asked.verbose)
            self._watched(lambda: show(report, chosen_output(None, check=False), alone), shown=True)
        return report

    def run(self, words: Sequence[str], *, shown: bool) -> Ran:
        """Run a command of ours, its words without `payops`."""
        from payops.cli.main import run

        if without := self._without_it(words):
            self._watched(lambda: _told(without), shown=shown)
            return Ran(0, text=without)
        line = [*self._before, *words]
        with overheard() as reports, _without_cron():
            code, text = self._watched(lambda: run(line), shown=shown)
        return Ran(code, reports[-1] if reports else None, text)

    def apply(self, plan: Path, digest: str) -> Ran:
        """Apply a plan that was agreed to: the environment's name stands for what was typed."""
        environment = self.loaded.settings.environment
        words = ["apply", str(plan), "--digest", digest, "--yes", "--environment", environment]
        return self.run(words, shown=True)

    def _without_it(self, words: Sequence[str]) -> str:
        """Why what is to be changed is not in this system; empty where it is. A page that is for
        several systems names what each of them has."""
        line, settings = self.read(words), self.loaded.settings
        if line.path in {("circuit", "reset"), ("circuit", "trip")}:
            if settings.redis is None:
                return "redis is not configured, so no breaker is in it"
            return (
                "" if settings.circuit.breakers else "no breaker is configured (circuit.breakers)"
            )
        if line.path != ("remedy", "plan"):
            return ""
        return self._without_remedy(str(line.given.get("name", "")))

    def _without_remedy(self, name: str) -> str:
        """Why a remedy is not for this system; empty where it is."""
        from payops.remedies import code_remedies

        settings = self.loaded.settings
        if name in settings.remedies:
            return ""
        code = code_remedies().get(name)
        return code.absent(settings) if code else f"this system has no remedy {name}"

    @property
    def _before(self) -> list[str]:
        """The options that stand before every command."""
        words = ["--config", self.asked.config] if self.asked.config else []
        words += ["--no-color"] if self.asked.no_color else []
        return words + (["--verbose"] if self.asked.verbose else [])

    def _watched(self, command: Callable[[], int], *, shown: bool) -> tuple[int, str]:
        """A command's exit status and all that it wrote. Its stdout is shown on ours for messages:
        what goes to stdout of a run is its summary alone."""
        copy = io.StringIO()
        seen: Any = _Seen(sys.stderr if shown else None, copy)
        with ExitStack() as stack:
            stack.enter_context(redirect_stdout(seen))
            stack.enter_context(redirect_stderr(seen))
            code = command()
        return code, copy.getvalue()


def _told(text: str) -> int:
    from payops.cli.boundary import tell

    tell(f"payops: {text}")
    return 0


def _of_another_system(glob: str, there: Sequence[str]) -> bool:
    """Whether it names checks of a configuration's own that this one does not have: a page that is
    for several systems names those of each."""
    return glob.startswith("own.") and not any(fnmatchcase(id_, glob) for id_ in there)


def _not_here(ids: str, now: datetime) -> CheckResult:
    from payops.domain.result import CheckResult
    from payops.domain.status import Status

    return CheckResult(Status.SKIP, "this system has no such check", id=ids, as_of=now)


@contextmanager
def _without_cron() -> Iterator[None]:
    """A step pings nobody and sends no message, though the environment asks every run to."""
    names = ("PAYOPS_HEARTBEAT", "PAYOPS_NOTIFY")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
