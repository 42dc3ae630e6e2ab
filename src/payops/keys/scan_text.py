"""Scans a text of any length in pieces: constant memory, and the same findings however it is cut.

A piece carries `REACH` bytes of what was before it and, but for the last, as many of what comes
after; each finding belongs to the piece that holds its anchor.
"""

from __future__ import annotations

from collections.abc import Callable

from payops.keys.patterns import REACH
from payops.keys.scan_findings import Findings, Place
from payops.keys.scan_window import Hit, Window

PIECE = 1 << 18
"""Bytes read at a time: what fits a core's own cache is searched fastest."""


class TextScan:
    """Takes a text piece by piece and keeps what it finds.

    `offset` is where the first piece lies in the whole text, and `owned` the offsets from which and
    up to which anchors are its own (None: to the end): a part of a file is given `REACH` bytes more
    on each side. Lines are counted from 1 at `owned[0]`.
    """

    def __init__(
        self,
        window: Window,
        findings: Findings,
        *,
        offset: int = 0,
        owned: tuple[int, int | None] = (0, None),
    ) -> None:
        self._window = window
        self.findings = findings
        self._text = b""
        self._offset = offset  # of self._text[0]
        self._next, self._end = owned
        self.lines = 0
        """Line breaks before what was not looked at yet."""

    def feed(self, piece: bytes) -> None:
        """The next bytes."""
        self._text += piece
        self._look(self._offset + len(self._text) - REACH)

    def finish(self) -> None:
        """There are no more."""
        self._look(self._offset + len(self._text))
        self._text = b""

    def _look(self, up_to: int) -> None:
        if self._end is not None:
            up_to = min(up_to, self._end)
        if up_to <= self._next:
            return
        text, base = self._text, self._offset
        begin, end = self._next - base, up_to - base
        counted, lines = begin, self.lines
        here: list[Hit] = []
        for hit in self._window.hits(text, begin, end):
            if hit.number is None or hit.number.passes:
                here.append(hit)
            else:
                self.findings.add_failing(hit.number)
        for hit in sorted(here, key=_place_of):
            # No shape goes over a line's end, so where it begins before its anchor the line holds.
            if hit.start > counted:
                lines += text.count(b"\n", counted, hit.start)
                counted = hit.start
            self.findings.add(hit, Place(base + hit.start, 1 + lines))
        self.lines = lines + text.count(b"\n", counted, end)
        self._next = up_to
        keep = max(0, end - REACH)
        self._text, self._offset = text[keep:], base + keep


def _place_of(hit: Hit) -> int:
    return hit.start


def scan_all(
    read: Callable[[int], bytes], scan: TextScan, stopped: Callable[[], bool] = lambda: False
) -> bool:
    """Feed a scan from `read` until there is no more (True) or it is `stopped` (False)."""
    while not stopped():
        piece = read(PIECE)
        if not piece:
            scan.finish()
            return not stopped()  # a pipe gives nothing too when it is stopped
        scan.feed(piece)
    scan.finish()
    return False
