"""`python -m benchmarks.fetch_client HOW URL OBJECTS`: reads a list, prints what it took as JSON.

HOW is `payops` (the fetch of `payops reconcile`, to a spool on disk), or `sdk` (the official SDK's
`auto_paging_iter`, which keeps nothing). `limited` is `payops` within Stripe's limits.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.fetch_server import FIRST
from payops.lab.stripe import default_key


def main() -> None:
    """Run one client."""
    how, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    clients: dict[str, Callable[[str, int], tuple[int, int]]] = {
        "payops": lambda url, count: _payops(url, count, limited=False),
        "limited": lambda url, count: _payops(url, count, limited=True),
        "sdk": _sdk,
    }
    read = clients[how]
    # Importing is not fetching.
    if how == "sdk":
        import stripe  # noqa: F401
    else:
        import payops.reconcile.fetch_lists  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    objects, calls = read(url, count)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = {
        "objects": objects,
        "calls": calls,
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": after.ru_maxrss / 1024,
    }
    print(json.dumps(told))


def _payops(url: str, count: int, *, limited: bool) -> tuple[int, int]:
    from payops.config.settings import PathSettings, Settings
    from payops.config.sources import StripeSettings
    from payops.domain.secret import Secret
    from payops.domain.window import Window
    from payops.reconcile.fetch import FetchOptions
    from payops.reconcile.fetch_lists import fetch_lists
    from payops.reconcile.progress import Meter
    from payops.reconcile.spool import Spool
    from payops.sources.stripe_pages import StripePages
    from payops.sources.stripe_pages_pace import FetchPace
    from payops.sources.stripe_rows import Shape

    stripe = StripeSettings(
        secret_key=Secret(default_key()), api_base=url, max_requests_per_second=100
    )
    edges = (datetime.fromtimestamp(each, UTC) for each in (FIRST, FIRST + count))
    options = FetchOptions(Window(*edges), slack=timedelta(0))
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        settings = Settings(stripe=stripe, paths=PathSettings(state=str(Path(folder))))
        spool = Spool.open(settings, options.window, "bench")
        pages = StripePages(stripe, pace=None if limited else FetchPace(1e6, 1e6))
        shape = Shape(order_keys=("order_id",))
        connections = 32 if limited else 3
        fetch_lists(
            pages, spool, Meter(None), options, shape, sessions=False, connections=connections
        )
        return spool.count("intents"), pages.calls


def _sdk(url: str, count: int) -> tuple[int, int]:
    import stripe

    client = stripe.StripeClient(default_key(), base_addresses={"api": url})
    params = {"limit": 100, "expand": ["data.latest_charge"]}
    listed = client.v1.payment_intents.list(params)  # type: ignore[arg-type]
    return sum(1 for _ in listed.auto_paging_iter()), -(-count // 100)


if __name__ == "__main__":
    main()
