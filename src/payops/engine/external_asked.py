"""What each check of outside processors is given, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payops.domain.result import CheckResult
from payops.domain.threshold import Limits
from payops.reconcile.external_terms import Terms

if TYPE_CHECKING:
    from payops.config.external import ExternalSettings, ExternalTransactions
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.window import Window
    from payops.sources.external import ExternalReader

# More are counted as 'or more': a fault that has so many rows is one fault.
MOST_ROWS = 2_000


@dataclass(frozen=True)
class Asked:
    """What each check is given; `limits` are its own."""

    settings: Settings
    reader: ExternalReader
    ledger: Ledger
    external: ExternalSettings
    transactions: ExternalTransactions
    terms: Terms
    window: Window | None
    now: datetime
    limits: Limits


# A check and what it adds to the report's own sections.
Answer = tuple[CheckResult, list[Mapping[str, Any]]]
