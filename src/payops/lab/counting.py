"""The counters of the lab's database, which the server has added up since it was made.

Nothing takes one count back out, so a scenario that adds to them begins them anew, and so does its
healing: they count what happened since then, and no data is lost.
"""

from __future__ import annotations

import time

from payops.checks.counted import SHORTEST_S
from payops.lab.scenario import Lab


def begin_anew(lab: Lab) -> None:
    """All counters of the database at nought."""
    lab.postgres.execute("SELECT pg_stat_reset()")


def wait_for_a_rate(lab: Lab) -> None:
    """Return once the counters have counted for so long that a rate can be told of them."""
    time.sleep(max(0.0, SHORTEST_S + 0.1 - (_counted_s(lab) or 0.0)))


def begin_if_unknown(lab: Lab) -> None:
    """Begin anew where nobody knows when they began: after a crash of the server."""
    if _counted_s(lab) is None:
        begin_anew(lab)


def _counted_s(lab: Lab) -> float | None:
    found = lab.postgres.execute(
        "SELECT extract(epoch FROM clock_timestamp() - stats_reset)::float8 "
        "FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    return found[0] if found else None
