"""Transaction numbers are used up faster than old rows are frozen.

At the end PostgreSQL takes no write any more, as it does when its disk is full; either is seen
weeks before by who looks (runbook 003, monthly maintenance). A program here uses a transaction
number for each row. Two thousand million of them take days: the lab uses some thousands, and its
configuration allows fewer.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import put_right
from payops.lab.limits import tighten
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario

# Of autovacuum_freeze_max_age, as the check reckons it, in per cent.
_USED = """
SELECT 100 * max(age(datfrozenxid)) / current_setting('autovacuum_freeze_max_age')::float8
FROM pg_database
"""
_EACH_A_NUMBER = """
DO $$ BEGIN FOR n IN 1..{count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$
"""


def inject(lab: Lab, parameters: Parameters) -> None:
    count = parameters["transactions"]
    before = _used(lab)
    lab.postgres.execute(_EACH_A_NUMBER.format(count=int(count)).encode())
    tighten(lab, "postgres.wraparound", "overdue", (before + _used(lab)) / 2)


def _used(lab: Lab) -> float:
    found = lab.postgres.execute(_USED).fetchone()
    return float(found[0]) if found else 0.0


SCENARIO = Scenario(
    title="Transaction numbers run out",
    runbook="003, monthly maintenance",
    breaks="old rows were not frozen, and more transaction numbers are used than are allowed",
    expected={"postgres.wraparound": Status.WARN},
    inject=inject,
    heal=put_right,
    presets=EVERY_PRESET,
    changes=frozenset({"configuration"}),
    parameters={"transactions": Parameter(5_000, 1_000, 100_000, "how many numbers are used")},
    mild={"transactions": 2_000},
    severe={"transactions": 20_000},
    outside="end what holds the oldest transaction number, and VACUUM (FREEZE) the oldest tables",
)
