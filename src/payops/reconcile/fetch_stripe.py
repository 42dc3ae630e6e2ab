"""Stripe's side: its lists, read in parallel under the request budget, slice by slice to disk."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from payops.errors import Failure, SourceError
from payops.reconcile.fetch_parts import Part
from payops.reconcile.late import TooLateError
from payops.reconcile.spool_schema import KINDS
from payops.sources.stripe_pages import PAGE, StoppedError
from payops.sources.stripe_rows import csv_text
from payops.sources.stripe_slices import Piece, Pieces, gaps

if TYPE_CHECKING:
    from payops.domain.deadline import Deadline
    from payops.reconcile.progress import Meter
    from payops.reconcile.spool import Spool
    from payops.sources.stripe_pages import Page, StripePages
    from payops.sources.stripe_rows import ListKind

# At 25 requests a second these are enough for answers that take a whole second.
MOST_CONNECTIONS = 32
_FIRST_LATENCY_S = 0.15
# How long ^C and an error wait for requests under way, so that what they read is kept.
_FAREWELL_S = 1.0


@dataclass(frozen=True)
class ListRange:
    """What to read of a list: objects created from `since` to before `until`, epoch seconds."""

    kind: ListKind
    since: int
    until: int


class StripeFetch:
    """Reads lists into a spool. `connections` bounds the requests under way at once."""

    def __init__(
        self,
        pages: StripePages,
        spool: Spool,
        meter: Meter,
        *,
        reuse: timedelta,
        connections: int = MOST_CONNECTIONS,
        deadline: Deadline | None = None,
    ) -> None:
        self._pages = pages
        self._spool = spool
        self._meter = meter
        self._reuse = reuse
        self._connections = connections
        self._deadline = deadline
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._latency_s = _FIRST_LATENCY_S

    def lists(self, wanted: Sequence[ListRange]) -> None:
        """Read all of them; each kind is marked complete.

        Raises SourceError, PayopsError, or TooLateError at the deadline.
        """
        self._stop, self._failures = threading.Event(), []
        now = datetime.now(UTC)
        pieces: list[Piece] = []
        for each in wanted:
            name = each.kind.name
            kept = self._spool.reusable(name, each.since, each.until, reuse=self._reuse, now=now)
            self._meter.add(objects=sum(found.count for found in kept))
            done = [(found.since, found.until) for found in kept]
            pieces += [Piece(name, *gap) for gap in gaps(each.since, each.until, done)]
        kinds = {each.kind.name: each.kind for each in wanted}
        shared = Pieces(pieces, page=PAGE, busy=self._busy)
        self._meter.follow(shared.pages_left)
        self._run(shared, kinds)
        for name in kinds:
            files = self._spool.slices(name)
            self._spool.mark(
                name,
                count=sum(found.count for found, _ in files),
                as_of=min((found.fetched for found, _ in files), default=now),
            )

    def _run(self, shared: Pieces, kinds: dict[str, ListKind]) -> None:
        workers = [
            threading.Thread(
                target=self._work, args=(shared, kinds), name="payops-fetch", daemon=True
            )
            for _ in range(self._connections)
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                while worker.is_alive() and not self._over:  # so that ^C is heard, progress told
                    worker.join(0.1)
                    self._meter.tell()
        finally:
            self._stop.set()
            shared.stop()
            end = time.monotonic() + _FAREWELL_S
            for worker in workers:
                worker.join(max(0.0, end - time.monotonic()))
        if self._failures:
            raise self._failures[0]
        under_way = shared.pages_left() != 0 or any(worker.is_alive() for worker in workers)
        if self._over and under_way:
            raise TooLateError

    @property
    def _over(self) -> bool:
        return self._deadline is not None and not self._deadline.remaining

    def _work(self, shared: Pieces, kinds: dict[str, ListKind]) -> None:
        try:
            while (piece := shared.take()) is not None:
                self._read(piece, shared, kinds[piece.kind])
        except StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001  raised again by the thread that waits
            self._failures.append(error)
        finally:
            if self._failures:
                self._stop.set()
                shared.stop()

    def _read(self, piece: Piece, shared: Pieces, kind: ListKind) -> None:
        part = Part(self._spool.folder(kind.name), KINDS[kind.name], piece.until)
        try:
            ended = False
            while not ended:
                page = self._pages.page(
                    kind, self._stop, since=piece.since, until=piece.until, after=piece.after
                )
                self._latency_s += (page.latency_s - self._latency_s) / 8
                ended = self._keep(page, piece, shared, part, kind)
        except BaseException:
            part.seal()
            raise
        finally:
            part.drop()

    def _keep(self, page: Page, piece: Piece, shared: Pieces, part: Part, kind: ListKind) -> bool:
        """Write a page; whether it was the piece's last."""
        data = page.data
        if not data and page.has_more:
            raise SourceError(
                "stripe",
                Failure.BAD_ANSWER,
                f"GET {kind.path}: an empty page that is not the last",
                hint="is stripe.api_base really Stripe?",
            )
        oldest = data[-1].created if data else piece.since
        last = data[-1].id if data else ""
        since, ended = shared.read(
            piece, oldest=oldest, count=len(data), last=last, more=page.has_more
        )
        if data and oldest < since:  # given to another meanwhile
            data = [each for each in data if each.created >= since]
        rows = _rows(data, kind.row)
        part.add(*rows)
        if ended:
            part.finish(since)
        self._meter.add(objects=len(data), pages=1)
        return ended

    def _busy(self) -> int:
        """How many requests under way keep the pace, with half as many again to spare."""
        needed = self._pages.pace.per_second * self._latency_s * 1.5 + 1
        return min(self._connections, math.ceil(needed))


def _rows(data: list[Any], row: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
    """A page as CSV: what is newer than its oldest second, and that second, with their counts."""
    if not data:
        return b"", 0, b"", 0, -1
    second = data[-1].created
    first = len(data)
    while first and data[first - 1].created == second:
        first -= 1
    newer = csv_text([row(each) for each in data[:first]])
    oldest = csv_text([row(each) for each in data[first:]])
    return newer.encode(), first, oldest.encode(), len(data) - first, second
