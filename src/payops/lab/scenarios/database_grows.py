"""A log table that nobody clears has grown, and the database with it, beyond what it may have.

How much that is depends on the disk, so no runbook gives a limit (runbook 000 looks at the size):
the lab's configuration sets one that was kept until now.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.keyfaults import put_right
from payops.lab.limits import tighten
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

MIB = 1024**2
ROOM, GROWN = 4, 8  # MiB left before, and taken since


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    row = lab.postgres.execute("SELECT pg_database_size(current_database())").fetchone()
    tighten(lab, "postgres.size", "bytes", (row[0] if row else 0) + ROOM * MIB)
    # Rows of 1 KiB, which the server compresses only from 2 KiB.
    lab.postgres.execute(
        "CREATE TABLE lab_request_log AS SELECT n, repeat('GET /checkout ', 73) AS line "
        "FROM generate_series(1, %s::integer) AS n",
        (GROWN * MIB // 1024,),
    )


def heal(lab: Lab) -> None:
    lab.postgres.execute("DROP TABLE IF EXISTS lab_request_log")
    put_right(lab)


SCENARIO = Scenario(
    title="The database grows beyond its limit",
    runbook="000, database health; 003, monthly maintenance",
    breaks="a table named lab_request_log takes more of the disk than the configuration allows",
    expected={"postgres.size": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"configuration"}),
    outside="clear the table that has grown",
)
