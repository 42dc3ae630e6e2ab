"""Which lists of Stripe's are read, and from when to when.

A refund of a payment of the window may be made long after it, and a dispute longer still. Disputes
are few, so all since the window's beginning are read. Refunds are read within the window; where an
intent says that more was refunded than those make, the rest is looked up, by the intent or by
reading on to today, whichever takes fewer requests. A Checkout Session is made up to 24 hours
before its payment.
"""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from payops.reconcile.fetch_stripe import MOST_CONNECTIONS, ListRange, StripeFetch
from payops.reconcile.late import TooLateError
from payops.reconcile.spool import REUSE, private, telling
from payops.reconcile.spool_schema import REFUNDS
from payops.sources import stripe_rows
from payops.sources.stripe_pages import PAGE, StoppedError

if TYPE_CHECKING:
    from payops.reconcile.fetch import FetchOptions
    from payops.reconcile.progress import Meter
    from payops.reconcile.spool import Spool
    from payops.sources.stripe_pages import StripePages

# Stripe's clock may be ahead of ours.
_AHEAD = timedelta(minutes=5)
_SESSION_LIVES = timedelta(hours=24)


def fetch_lists(
    pages: StripePages,
    spool: Spool,
    meter: Meter,
    options: FetchOptions,
    shape: stripe_rows.Shape,
    *,
    sessions: bool,
    connections: int = MOST_CONNECTIONS,
) -> None:
    """Read all of Stripe's side of a window. Raises SourceError, PayopsError or TooLateError."""
    window, slack = options.window, options.slack
    latest = math.ceil((datetime.now(UTC) + _AHEAD).timestamp())
    since = math.floor((window.since - slack).timestamp())
    until = max(since, min(latest, math.ceil((window.until + slack).timestamp())))
    refunds = ListRange(stripe_rows.refunds(), since, until)
    wanted = [
        ListRange(stripe_rows.intents(shape), since, until),
        refunds,
        ListRange(stripe_rows.disputes(), since, max(since, latest)),
    ]
    if sessions:
        earlier = math.floor((window.since - slack - _SESSION_LIVES).timestamp())
        wanted.append(ListRange(stripe_rows.sessions(shape), earlier, until))
    meter.begin("Stripe", lambda: pages.calls)
    fetch = StripeFetch(
        pages,
        spool,
        meter,
        reuse=max(options.reuse, REUSE),
        connections=connections,
        deadline=options.deadline,
    )
    fetch.lists(wanted)
    if until < latest:
        _later_refunds(pages, spool, fetch, refunds, latest)
    meter.tell(done=True)


def _later_refunds(
    pages: StripePages, spool: Spool, fetch: StripeFetch, read: ListRange, latest: int
) -> None:
    """The refunds of the window's payments that were made after it."""
    missing = _more_refunded(spool)
    if not missing:
        return
    an_hour = spool.count("refunds") / max(1.0, (read.until - read.since) / 3600)
    pages_on = an_hour * (latest - read.until) / 3600 / PAGE
    if len(missing) > pages_on:
        fetch.lists([ListRange(read.kind, read.since, latest)])
        return
    try:
        _by_intent(pages, spool, read, missing)
    except StoppedError:  # nothing else stops it
        raise TooLateError from None


def _by_intent(pages: StripePages, spool: Spool, read: ListRange, intents: list[str]) -> None:
    stop = threading.Event()
    path = spool.folder("refunds") / "later.csv"
    draft = path.with_name(".later.part")
    count = 0
    with telling(path):
        with private(draft) as file:
            file.write((",".join(REFUNDS) + "\n").encode())
            for intent in intents:
                after, more = "", True
                while more:
                    page = pages.page(read.kind, stop, after=after, payment_intent=intent)
                    new = [each for each in page.data if each.created >= read.until]
                    rows = [read.kind.row(each) for each in new]
                    file.write(stripe_rows.csv_text(rows).encode())
                    count += len(rows)
                    more = page.has_more and bool(page.data)
                    after = page.data[-1].id if page.data else ""
        draft.rename(path)
    as_of = spool.as_of("refunds") or datetime.now(UTC)
    spool.mark("refunds", count=spool.count("refunds") + count, as_of=as_of)


def _more_refunded(spool: Spool) -> list[str]:
    """Intents of which more was refunded than the refunds read so far make."""
    from payops.reconcile.files_duckdb import connect

    with connect(spool.path) as database:
        rows = database.execute(
            (Path(__file__).parent / "fetch_more_refunded.sql").read_text("utf-8"),
            {
                "intents": [str(path) for path in spool.files("intents")],
                "refunds": [str(path) for path in spool.files("refunds")],
            },
        ).fetchall()
    return [str(row[0]) for row in rows]
