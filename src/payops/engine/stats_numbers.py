"""What `payops stats` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from payops.checks.ledger import Tally
from payops.engine.stats_spans import Spans
from payops.errors import NotConfiguredError, SourceError

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.domain.external import OutsideSum
    from payops.sources.ledger import Outcome, Outcomes
    from payops.sources.ledger_stats import Customers, FailedPayment, Latency


@dataclass(frozen=True)
class Numbers:
    """What was found. A part that could not be asked is empty, and why stands in `untold` by the
    part's name."""

    ledger: Ledger
    spans: Spans
    as_of: datetime
    outcomes: Mapping[str, Outcomes] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    latency: Mapping[str, Latency] = field(default_factory=dict)
    series: Mapping[datetime, tuple[Outcome, ...]] | None = None
    series_latency: Mapping[datetime, Latency] = field(default_factory=dict)
    customers: Customers | None = None
    failures: tuple[FailedPayment, ...] = ()
    outside: tuple[OutsideSum, ...] | None = None
    untold: Mapping[str, SourceError | NotConfiguredError] = field(default_factory=dict)
