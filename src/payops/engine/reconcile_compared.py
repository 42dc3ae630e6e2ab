"""What every part of a reconciliation's report knows of the comparison."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.discrepancy import Discrepancy
from payops.reconcile.causes import Clue
from payops.reconcile.report import discrepancy, stripe_id
from payops.reconcile.totals import Row
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.engine.reconcile import ReconcileOptions


@dataclass(frozen=True)
class Compared:
    """One comparison.

    `ledgers` are those that were read; `places` where Stripe's side came from (`stripe` or `file`)
    and the ledgers' (`postgres` or `file`). `now` is when the older side was read, aware UTC,
    `started` when the run began, in seconds of `time.monotonic()`.
    """

    settings: Settings
    options: ReconcileOptions
    sources: Sources
    ledgers: Mapping[str, Ledger]
    places: tuple[str, str]
    now: datetime
    started: float

    @property
    def source(self) -> str:
        """Both places, for a check of both sides."""
        return "+".join(dict.fromkeys(self.places))

    @property
    def asks_stripe(self) -> bool:
        """Whether Stripe itself was read, not a file."""
        return self.places[0] == "stripe"

    @property
    def duration_ms(self) -> int:
        """How long the run has taken so far."""
        return round((time.monotonic() - self.started) * 1000)

    def discrepancy(self, row: Row, clues: Mapping[str, Clue]) -> Discrepancy:
        """A finding of the match as it is told."""
        return discrepancy(
            row,
            self.ledgers,
            now=self.now,
            clue=clues.get(stripe_id(row)),
            again=self.options.command,
            sources=self.places,
        )
