"""Whole ranges of Stripe's lists into memory, in parallel slices, until a deadline.

The slices are those of a reconciliation (stripe_slices.py); nothing is written to disk, each page
is given away as it comes. What could not be read in time is said, never waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payops.errors import Failure, SourceError
from payops.sources import clock
from payops.sources.stripe_pages import PAGE, StoppedError
from payops.sources.stripe_slices import Piece, Pieces

if TYPE_CHECKING:
    from payops.domain.deadline import Deadline
    from payops.sources.stripe_pages import StripePages
    from payops.sources.stripe_rows import ListKind

# At 10 requests a second, payops' own budget, these suffice for answers that take a second.
_CONNECTIONS = 12
_FIRST_LATENCY_S = 0.15


@dataclass(frozen=True)
class Range:
    """Objects of one list created from `since` to before `until` (epoch seconds).

    `types` and `filters` as Stripe names them. `keep` is given each page's objects; it is called
    from several threads, one at a time.
    """

    kind: ListKind
    since: int
    until: int
    keep: Callable[[list[Any]], None]
    types: tuple[str, ...] = ()
    filters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """What came of it: `as_of` is Stripe's clock at the first answer, ours where it sent none.

    `offset_s` is Stripe's clock less ours, to the second. `failure` is set when not all was read.
    """

    as_of: datetime
    offset_s: float
    failure: SourceError | None


def read(pages: StripePages, ranges: Sequence[Range], deadline: Deadline) -> Read:
    """Read all of them. Never raises for what Stripe does, and never outlives the deadline."""
    return _Reading(pages, ranges).run(deadline)


class _Reading:
    def __init__(self, pages: StripePages, ranges: Sequence[Range]) -> None:
        self._pages = pages
        self._ranges = {str(number): each for number, each in enumerate(ranges)}
        pieces = [Piece(name, each.since, each.until) for name, each in self._ranges.items()]
        self._shared = Pieces(pieces, page=PAGE, busy=self._busy)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._failures: list[SourceError] = []
        self._faults: list[BaseException] = []
        self._latency_s = _FIRST_LATENCY_S
        self._first: tuple[datetime, datetime] | None = None

    def run(self, deadline: Deadline) -> Read:
        workers = [
            threading.Thread(target=self._work, name="payops-list", daemon=True)
            for _ in range(_CONNECTIONS)
        ]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                while worker.is_alive() and deadline.remaining > 0 and not self._stop.is_set():
                    worker.join(min(0.1, deadline.remaining))
        finally:
            late = any(worker.is_alive() for worker in workers) and not self._stop.is_set()
            self._stop.set()
            self._shared.stop()
        with self._lock:  # no page is kept after this
            self._ranges.clear()
            if self._faults:
                raise self._faults[0]
            failure = self._failures[0] if self._failures else None
            if failure is None and late:
                # Where Stripe answers, it is payops' own budget that the time was too short for.
                lacking = self._pages.answered_lately
                failure = SourceError(
                    "stripe",
                    Failure.RATE_LIMITED if lacking else Failure.TIMED_OUT,
                    f"not all was read before the deadline ({self._pages.calls:,} requests sent, "
                    f"at most {self._pages.pace.per_second:g} a second)",
                    hint="a longer --deadline, a shorter --since, --no-objects, or more "
                    "stripe.max_requests_per_second",
                )
            seen, ours = self._first or (clock.now(), clock.now())
        offset = (seen - ours).total_seconds()
        return Read(seen, offset if abs(offset) > 1 else 0.0, failure)

    def _work(self) -> None:
        try:
            while (piece := self._shared.take()) is not None:
                self._follow(piece)
        except StoppedError:
            pass
        except SourceError as error:
            self._failures.append(error)
            self._give_up()
        except BaseException as error:  # noqa: BLE001  raised again by the thread that waits
            self._faults.append(error)
            self._give_up()

    def _give_up(self) -> None:
        self._stop.set()
        self._shared.stop()

    def _follow(self, piece: Piece) -> None:
        ended = False
        while not ended:
            wanted = self._ranges.get(piece.kind)
            if wanted is None:
                raise StoppedError
            page = self._pages.page(
                wanted.kind,
                self._stop,
                since=piece.since,
                until=piece.until,
                after=piece.after,
                types=wanted.types,
                **wanted.filters,
            )
            self._latency_s += (page.latency_s - self._latency_s) / 8
            if not page.data and page.has_more:
                raise SourceError(
                    "stripe",
                    Failure.BAD_ANSWER,
                    f"GET {wanted.kind.path}: an empty page that is not the last",
                    hint="is stripe.api_base really Stripe?",
                )
            oldest = page.data[-1].created if page.data else piece.since
            last = page.data[-1].id if page.data else ""
            since, ended = self._shared.read(
                piece, oldest=oldest, count=len(page.data), last=last, more=page.has_more
            )
            with self._lock:
                if self._stop.is_set():
                    raise StoppedError
                self._first = self._first or (page.date, clock.now())
                wanted.keep([each for each in page.data if each.created >= since])

    def _busy(self) -> int:
        """How many requests under way keep the pace, with half as many again to spare."""
        return min(_CONNECTIONS, int(self._pages.pace.per_second * self._latency_s * 1.5) + 2)
