"""An export reads page after page in one transaction, which has been open for long.

No dead row that it might see is cleaned up meanwhile, and what it locked stays locked (runbook 000,
slow database). It is never idle, and none of its statements is slow. The lab cannot wait for the
five minutes that are WARN, so its configuration says half a second.
"""

from __future__ import annotations

import time

from payops.domain.status import Status
from payops.lab.holding import Held, hold, release
from payops.lab.keyfaults import put_right
from payops.lab.limits import tighten
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

LONG_S = 0.5


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    tighten(lab, "postgres.transactions", "age", LONG_S)
    hold(lab, [Held("ledger-export", ("BEGIN", "SELECT 'the next page'"), repeats=True)])
    time.sleep(LONG_S)


def heal(lab: Lab) -> None:
    release(lab)
    put_right(lab)


SCENARIO = Scenario(
    title="A transaction stays open",
    runbook="000, slow queries; 002, a timeout during the transaction",
    breaks="ledger-export keeps one transaction open; the configuration calls half a second long",
    expected={"postgres.transactions": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"configuration"}),
    outside="end the session that keeps its transaction open",
)
