"""What happened after a breaker was closed by hand: did payments succeed, did it open again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.checks.ledger import tally
from payops.domain.breaker import BreakerState
from payops.domain.deadline import Deadline
from payops.domain.window import Window
from payops.engine.circuit import read
from payops.errors import SourceError
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.settings import Settings

_EVERY_S = 1.0
_SLACK_S = 30.0  # beyond the watch, for a last answer


@dataclass(frozen=True)
class Observed:
    """`opened_again` once it was seen open after it had been closed; `paid` and `failed` are
    payments made since, None where the ledger cannot be asked."""

    seconds: float
    opened_again: bool
    last: str
    paid: int | None
    failed: int | None

    @property
    def sentence(self) -> str:
        """For a person."""
        span = f"after {self.seconds:.0f} s"
        if self.paid is None:
            payments = "what payments did is not known: the ledger could not be asked"
        elif not self.paid and not self.failed:
            payments = "no payment was decided meanwhile, so nothing is proved yet"
        else:
            payments = f"{self.paid:,} succeeded and {self.failed:,} failed by our fault"
        state = "it OPENED AGAIN" if self.opened_again else f"it is {self.last}"
        return f"{span}: {state}; {payments}"


def observe(settings: Settings, name: str, began: datetime, seconds: float) -> Observed:
    """Watch for so long, or until it opens again or somebody presses ^C."""
    started = time.monotonic()
    ends = started + seconds
    sources = Sources(settings, Deadline.after(seconds + _SLACK_S))
    last, closed, opened_again = "unknown", False, False
    try:
        while not opened_again:
            try:
                found = read(settings, sources, name)
                state = found.readings[0].effective(found.as_of)
                last = state.value if state else "unknown"
                opened_again = closed and state is BreakerState.OPEN
                closed = closed or state is BreakerState.CLOSED
            except SourceError as error:
                last = f"not readable ({error.kind.value})"
            if time.monotonic() >= ends:
                break
            time.sleep(min(_EVERY_S, max(ends - time.monotonic(), 0)))
    except KeyboardInterrupt:
        pass  # the watch alone ends: what was done is done, and is told
    try:
        paid, failed = _payments(settings, sources, began)
    finally:
        sources.close()
    return Observed(time.monotonic() - started, opened_again, last, paid, failed)


def _payments(
    settings: Settings, sources: Sources, began: datetime
) -> tuple[int | None, int | None]:
    ledger = settings.payments
    if ledger is None or settings.postgres is None:
        return None, None
    try:
        now = sources.postgres.server().now
        # This machine's clock began the watch; the ledger's times are the database's.
        elapsed = datetime.now(began.tzinfo) - began
        window = Window(now - elapsed, now + timedelta(seconds=1))
        outcomes = sources.postgres.ledger(ledger).outcomes(window)
    except SourceError:
        return None, None
    counted = tally(outcomes, ledger)
    return counted.paid, counted.ours
