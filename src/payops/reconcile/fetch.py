"""Both sides into a spool on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.window import Window
    from payops.reconcile.progress import Report
    from payops.reconcile.spool import Spool
    from payops.sources import Sources


@dataclass(frozen=True)
class FetchOptions:
    """What to fetch, and how.

    `window` is what will be judged; rows up to `slack` beyond its edges are fetched as partners.
    `ledgers` are configured names, None for all. `stripe_files` and `ledger_files` are paths and
    globs that are read instead of that side; a ledger's may be written `NAME=PATH`, the first
    ledger of payments is meant otherwise. `fresh` and `reuse`: see `spool`.
    """

    window: Window
    slack: timedelta = timedelta(hours=1)
    fresh: bool = False
    ledgers: tuple[str, ...] | None = None
    stripe_files: tuple[str, ...] = ()
    ledger_files: tuple[str, ...] = ()
    progress: Report | None = None
    reuse: timedelta = timedelta(0)


@dataclass(frozen=True)
class SideFacts:
    """What was read of one side.

    `count` rows (of Stripe: PaymentIntents), `calls` requests sent, `seconds` it took; `as_of` is
    when the oldest of them was read, of files when the oldest file was written.
    """

    count: int
    calls: int
    seconds: float
    as_of: datetime
    source: Literal["stripe", "postgres", "file"]


@dataclass(frozen=True)
class Fetched:
    """Both sides on disk. `counts` are rows by kind: `intents`, `refunds`, `ledger-payments`, …"""

    spool: Spool
    stripe: SideFacts
    ledgers: Mapping[str, SideFacts]
    counts: Mapping[str, int] = field(default_factory=dict)


def fetch(settings: Settings, sources: Sources, options: FetchOptions) -> Fetched:
    """Read both sides into a spool, which stays open: `fetched.spool.close()` or `.remove()`.

    The kinds `intents`, `refunds` and `disputes` are always there, `sessions` when a ledger maps
    them, `ledger-NAME` for each ledger of the options. Raises SourceError when a side does not
    answer, PayopsError when the disk is full or a file cannot be read, KeyboardInterrupt: what
    was fetched stays, and the next run goes on with it.
    """
    raise NotImplementedError
