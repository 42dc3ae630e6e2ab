"""A fetch in a process of its own, to be killed: `python fetch_child.py URL STATE SINCE UNTIL`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from payops.config.settings import PathSettings, Settings
from payops.config.sources import StripeSettings
from payops.domain.secret import Secret
from payops.domain.window import Window
from payops.lab.stripe import default_key
from payops.reconcile.fetch import FetchOptions
from payops.reconcile.fetch_lists import fetch_lists
from payops.reconcile.progress import Meter
from payops.reconcile.spool import Spool
from payops.sources.stripe_pages import StripePages
from payops.sources.stripe_pages_pace import FetchPace
from payops.sources.stripe_rows import Shape


def main() -> None:
    """Fetch, and tell what there is."""
    url, state, since, until = sys.argv[1:5]
    stripe = StripeSettings(
        secret_key=Secret(default_key()), api_base=url, max_requests_per_second=100
    )
    settings = Settings(stripe=stripe, paths=PathSettings(state=state))
    edges = (datetime.fromtimestamp(int(each), UTC) for each in (since, until))
    options = FetchOptions(Window(*edges), slack=timedelta(0))
    spool = Spool.open(settings, options.window, "killed")
    pages = StripePages(stripe, pace=FetchPace(1e6, 1e6))
    fetch_lists(pages, spool, Meter(None), options, Shape(), sessions=False, connections=3)
    spool.finish()
    told = {"path": str(spool.path), "count": spool.count("intents"), "calls": pages.calls}
    sys.stdout.write(json.dumps(told) + "\n")
    Path(state, "done").touch()


if __name__ == "__main__":
    main()
