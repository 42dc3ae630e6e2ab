"""A report without an index has been running, and takes disk and processors from the payments.

Runbook 000 looks for slow queries. The lab cannot wait for the half a minute that is WARN, so its
configuration says half a second.
"""

from __future__ import annotations

import time

from payops.domain.status import Status
from payops.lab.holding import Held, hold, release
from payops.lab.keyfaults import put_right
from payops.lab.limits import tighten
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

LONG_S = 0.5
_REPORT = "SELECT 'monthly totals', pg_sleep(3600)"


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    tighten(lab, "postgres.queries", "age", LONG_S)
    hold(lab, [Held("monthly-report", (_REPORT,), repeats=True)])
    time.sleep(LONG_S)


def heal(lab: Lab) -> None:
    release(lab)
    put_right(lab)


SCENARIO = Scenario(
    title="A statement runs for too long",
    runbook="000, slow queries",
    breaks="monthly-report runs one statement; the configuration calls half a second long",
    expected={"postgres.queries": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"configuration"}),
    outside="end the query, or wait for it",
)
