"""`payops circuit watch`: a line for each change, for people and for scripts."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import emit, emit_text, tell
from payops.cli.circuit_status import NameArgument
from payops.cli.invocation import duration_option, invocation
from payops.errors import FailedError, SourceError, UsageError

if TYPE_CHECKING:
    from payops.domain.breaker import BreakerReading
    from payops.engine.circuit_watch import Transition

NOT_REACHED = 2
_SAMPLES = 40


def watch(
    ctx: typer.Context,
    name: NameArgument = "",
    until: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="End once every breaker is closed, open or half_open.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="End after so long in any case.", show_default=False),
    ] = None,
    every: Annotated[str, typer.Option(metavar="DURATION", help="How often to look.")] = "1s",
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FORMAT", help="plain, or json: a line a change."),
    ] = None,
) -> int:
    """Follow breakers live: a line for each change, the failure counter as a small curve.

    Exit status: 0 what --until waits for was reached, 2 not in time, 3 usage or configuration.
    """
    from payops.config.load import located
    from payops.domain.breaker import BreakerState
    from payops.engine.circuit_watch import WatchOptions
    from payops.engine.circuit_watch import watch as follow

    if output not in {None, "plain", "table", "json"}:
        raise UsageError(f"{output!r} is not an output of watch", hint="plain or json")
    states = {state.value: state for state in BreakerState}
    wanted = until.replace("-", "_").lower() if until else None
    if wanted is not None and wanted not in states:
        raise UsageError(f"--until: {until!r} is no state", hint=", ".join(states))
    options = WatchOptions(
        name,
        duration_option("--every", every).total_seconds(),
        states[wanted] if wanted else None,
        duration_option("--timeout", timeout).total_seconds() if timeout else None,
    )
    loaded = invocation(ctx).load()
    teller = _teller(as_json=output == "json")
    try:
        with located(loaded.path):
            reached = follow(loaded.settings, options, teller)
    except OSError as error:
        raise FailedError(
            f"the log of watch cannot be written: {error.strerror or error}",
            hint="make room, or set paths.state",
        ) from error
    finally:
        teller.end()
    if not reached:
        tell(f"payops: not every breaker was {wanted} within {timeout}")
    return 0 if reached else NOT_REACHED


def _teller(*, as_json: bool) -> _Teller:
    live = not as_json and sys.stderr is not None and sys.stderr.isatty()
    return _Teller(as_json=as_json, live=live and os.environ.get("TERM") != "dumb")


class _Teller:
    """Changes go to stdout, a line each; what moves in between to a line of its own on stderr, on a
    terminal alone."""

    def __init__(self, *, as_json: bool, live: bool) -> None:
        self._as_json, self._live = as_json, live
        self._counts: dict[str, deque[float | None]] = defaultdict(lambda: deque(maxlen=_SAMPLES))
        self._silent = ""
        self._shown = 0

    def changed(self, transition: Transition) -> None:
        """A line."""
        from payops.domain.duration import utc_text

        at = utc_text(transition.at)
        if self._as_json:
            told = {
                "at": at,
                "name": transition.name,
                "from": transition.before,
                "to": transition.after,
                "failures": transition.failures,
            }
            emit(json.dumps(told) + "\n")
            return
        self._wipe()
        before = f"{transition.before} -> " if transition.before else ""
        counted = "" if transition.failures is None else f"  failures {transition.failures}"
        curve = self._curve(transition.name)
        emit_text(f"{at}  {transition.name}  {before}{transition.after}{counted}{curve}\n")

    def looked(self, readings: Sequence[BreakerReading], now: datetime) -> None:
        """The line that moves."""
        if self._silent:
            tell("payops: Redis answers again")
            self._silent = ""
        for one in readings:
            self._counts[one.name].append(None if one.failures is None else float(one.failures))
        if not self._live:
            return
        parts = []
        for one in readings:
            state = one.effective(now)
            word = state.value if state else "unknown"
            counted = "-" if one.failures is None else str(one.failures)
            parts.append(f"{one.name} {word} {counted}/{one.failure_threshold}")
            parts[-1] += self._curve(one.name, float(one.failure_threshold))
        self._draw("   ".join(parts))

    def silent(self, error: SourceError) -> None:
        """Once, until it answers again."""
        if str(error) != self._silent:
            self._wipe()
            tell(f"payops: {error}; asking again")
            self._silent = str(error)
        for counts in self._counts.values():
            counts.append(None)

    def end(self) -> None:
        """Leave a clean line."""
        self._wipe()

    def _curve(self, name: str, most: float = 5.0) -> str:
        from payops.domain.sparkline import sparkline

        values = list(self._counts[name])
        if not any(values):
            return ""
        ascii_only = not _has_unicode()
        return "  " + sparkline(values, most, ascii_only=ascii_only)

    def _draw(self, text: str) -> None:
        from payops.domain.secret import redact
        from payops.domain.text import harmless, shortened

        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        line = shortened(redact(harmless(text)), max(width, 10))
        sys.stderr.write("\r" + line + " " * max(self._shown - len(line), 0))
        sys.stderr.flush()
        self._shown = len(line)

    def _wipe(self) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0


def _has_unicode() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "▁█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
