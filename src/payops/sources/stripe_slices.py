"""A range of `created` cut into pieces while it is read, so that every connection stays busy.

A list can only be followed from newest to oldest, one page after another. So the range begins as
one piece; its first page tells how dense it is, and whoever has nothing to do takes the older half
of the piece with most left. A piece can be cut as long as it spans two seconds; one second, however
many objects it has, is followed by its cursor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Fewer pages than these are not worth a request of another connection.
_WORTH_CUTTING = 2.0


@dataclass(eq=False)
class Piece:
    """A part of one list that one connection reads: from `since` to before `until` (seconds).

    `until` falls as pages are read and `since` rises when the older part is given away. `after` is
    the cursor, the last object read. `density` is objects a second, None while it is not known.
    """

    kind: str
    since: int
    until: int
    density: float | None = None
    after: str = ""

    def pages_left(self, page: int) -> float | None:
        """An estimate; None when nothing is known of the piece."""
        if self.density is None:
            return None
        return max(1.0, (self.until - self.since) * self.density / page)

    def cut(self, page: int) -> Piece:
        """Give the older half of what is left away, the page under way not counted."""
        left = self.until - self.since
        under_way = page / self.density if self.density else 0.0
        middle = self.since + max(1, min(left - 1, int((left - under_way) / 2)))
        older = Piece(self.kind, self.since, middle, self.density)
        self.since = middle
        return older


class Pieces:
    """The pieces of one fetch, shared between its connections.

    `busy` says how many connections are of use at once.
    """

    def __init__(self, pieces: Iterable[Piece], *, page: int, busy: Callable[[], int]) -> None:
        self._waiting = list(pieces)
        self._active: set[Piece] = set()
        self._page = page
        self._busy = busy
        self._stopped = False
        self._changed = threading.Condition()

    def take(self) -> Piece | None:
        """The next piece to read; waits while there is none to be had, None when all is read."""
        with self._changed:
            while not self._stopped:
                piece = self._next()
                if piece is not None:
                    self._active.add(piece)
                    return piece
                if not self._waiting and not self._active:
                    break
                self._changed.wait()
            return None

    def read(
        self, piece: Piece, *, oldest: int, count: int, last: str, more: bool
    ) -> tuple[int, bool]:
        """A page of `count` objects down to the second `oldest` was read; `more` follow it.

        Gives where the piece ends now (what is older than that belongs to somebody else) and
        whether that has been reached: then nobody can cut it any more.
        """
        with self._changed:
            since = piece.since
            ended = not more or oldest < since
            if ended:
                self._active.discard(piece)
            else:
                now = count / max(1, piece.until - oldest)
                piece.density = now if piece.density is None else (piece.density + now) / 2
                piece.until = oldest + 1
                piece.after = last
            self._changed.notify_all()
            return since, ended

    def stop(self) -> None:
        """Nobody gets a piece any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def pages_left(self) -> float | None:
        """An estimate over all pieces; None while one of them is unknown."""
        with self._changed:
            known = [piece.pages_left(self._page) for piece in (*self._active, *self._waiting)]
        return None if None in known else sum(each for each in known if each is not None)

    def _next(self) -> Piece | None:
        if len(self._active) >= max(1, self._busy()):
            return None
        if self._waiting:
            return self._waiting.pop(0)
        largest, most = None, _WORTH_CUTTING
        for piece in self._active:
            left = piece.pages_left(self._page)
            if left is not None and left >= most and piece.until - piece.since >= 2:
                largest, most = piece, left
        return largest.cut(self._page) if largest is not None else None


def gaps(since: int, until: int, done: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of the range from `since` to before `until` is not covered by `done`, newest first.

    >>> gaps(0, 10, [(2, 4), (4, 7)])
    [(7, 10), (0, 2)]
    """
    missing = []
    at = since
    for first, end in sorted(done):
        if first > at:
            missing.append((at, min(first, until)))
        at = max(at, end)
    if at < until:
        missing.append((at, until))
    return [each for each in reversed(missing) if each[0] < each[1]]
