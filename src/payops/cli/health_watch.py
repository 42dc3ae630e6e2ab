"""`payops health --watch 30s`: the checks again and again, live on a terminal, else as lines.

What is drawn went through `formats.safe`, so that it is redacted and moves no cursor. ^C, SIGTERM
and a closed terminal end it, with a summary on stdout.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from payops.cli.boundary import INTERRUPTED, emit, ended_in_order, is_read
from payops.cli.invocation import Invocation, pasteable
from payops.errors import UsageError

if TYPE_CHECKING:
    from rich.live import Live

    from payops.domain.report import Report
    from payops.domain.session import Event, Session

SHORTEST_S = 1.0  # each round costs a few requests to Stripe
_TICK_S = 0.5
_OUTPUTS = ("table", "plain", "json")


def watch(examine: Callable[[], Report], every: float, output: str, asked: Invocation) -> int:
    """Examine every so many seconds until interrupted; 130 then, as after any ^C. Ends with 0
    when nobody reads any more."""
    from payops.domain.session import Session
    from payops.formats.safe import safe
    from payops.formats.watched import summary

    session = Session(datetime.now(UTC))
    code = INTERRUPTED
    with ended_in_order(), _told(output, asked) as told:
        try:
            while True:
                began = time.monotonic()
                report = pasteable(examine(), asked)
                session, events = session.after(safe(report, one_line=True))
                told.round(session, events, began + every)
                while (left := began + every - time.monotonic()) > 0:
                    if not is_read():
                        return 0
                    time.sleep(min(left, _TICK_S))
                told.asking()
        except KeyboardInterrupt:
            pass
    if output != "json":
        emit(summary(session, ascii_only=not _has_unicode()))
    return code


def refuse_what_no_watch_does(output: str, every: float, *, check: bool) -> None:
    """Raises UsageError for a watch that could not be."""
    if check:
        raise UsageError("--watch is for a person, --check for cron", hint="drop one")
    if output not in _OUTPUTS:
        raise UsageError(
            f"{output!r} is not an output of --watch", hint=f"one of {', '.join(_OUTPUTS)}"
        )
    if every < SHORTEST_S:
        raise UsageError(
            f"--watch: {every:g} s is too often: each round costs requests to Stripe",
            hint=f"{SHORTEST_S:g}s or more",
        )


class _Told(Protocol):
    """Who is told of the rounds."""

    def round(self, session: Session, events: tuple[Event, ...], following: float) -> None:
        """A round is over; the next is at `following` (monotonic)."""
        ...

    def asking(self) -> None:
        """A round begins."""
        ...


class _Lines:
    """How it was at first, then a line a change."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def round(self, session: Session, events: tuple[Event, ...], following: float) -> None:
        from payops.formats.watched import json_line, line, opening

        if session.rounds == 1 and not self._as_json:
            emit(opening(session))
        for event in events:
            emit(json_line(event) if self._as_json else line(event))

    def asking(self) -> None:
        """Nothing has changed yet."""


class _Screen:
    """A page of the terminal, drawn anew each second by a thread of rich's."""

    def __init__(self, began: datetime) -> None:
        from payops.domain.session import Session

        self._lock = threading.Lock()
        self._session, self._following = Session(began), None  # type: Session, float | None
        self.live: Live | None = None

    def round(self, session: Session, events: tuple[Event, ...], following: float) -> None:
        with self._lock:
            self._session, self._following = session, following
        self._refresh()

    def asking(self) -> None:
        """A round begins."""
        with self._lock:
            self._following = None
        self._refresh()

    def _refresh(self) -> None:
        if self.live is not None:
            self.live.refresh()

    def page(self) -> object:
        """What rich is to draw now."""
        from rich.text import Text

        from payops.formats.safe import Page
        from payops.formats.screen import screen

        with self._lock:
            session, following = self._session, self._following
        width, height = shutil.get_terminal_size((80, 24))
        page = Page(True, width, datetime.now(UTC), ascii_only=not _has_unicode())
        waits = None if following is None else following - time.monotonic()
        return Text("\n").join(screen(session, page, height, waits))


@contextmanager
def _told(output: str, asked: Invocation) -> Iterator[_Told]:
    if output != "table" or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield _Lines(as_json=output == "json")
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(no_color=not asked.colour, highlight=False, markup=False, emoji=False)
    shown = _Screen(datetime.now(UTC))
    with Live(
        console=console,
        screen=True,
        refresh_per_second=1,
        get_renderable=shown.page,  # type: ignore[arg-type]
        redirect_stdout=False,
        redirect_stderr=False,
    ) as live:
        shown.live = live
        yield shown


def _has_unicode() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "▁█→·…".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
