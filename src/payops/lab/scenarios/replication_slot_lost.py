"""A replica was switched off without its slot, and what it needs to go on has been thrown away.

The server kept its log for the slot up to `max_slot_wal_keep_size`, so that the disk did not fill;
the replica has to be made anew (runbook 003, monthly maintenance; runbook 000, database health).
"""

from __future__ import annotations

import time

from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import EVERY_PRESET, Lab, Parameters, Scenario

SLOT = "lab_replica_2"
_KEPT = "max_slot_wal_keep_size"
_SOON_S = 5.0


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    lab.remember(kept=True)
    lab.postgres.execute("SELECT pg_create_physical_replication_slot(%s, true)", (SLOT,))
    _set(lab, sql.SQL("ALTER SYSTEM SET {} = '1MB'"), "1MB")
    # A segment of the lab's log is 1 MB: a few of them are more than is kept.
    for _ in range(5):
        lab.postgres.execute("SELECT pg_logical_emit_message(false, 'lab', 'a busy hour')")
        lab.postgres.execute("SELECT pg_switch_wal()")
    lab.postgres.execute("CHECKPOINT")
    row = lab.postgres.execute(
        "SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", (SLOT,)
    ).fetchone()
    if row is None or row[0] != "lost":
        raise LabError(f"the slot {SLOT} is {row[0] if row else 'gone'}, not lost")


def heal(lab: Lab) -> None:
    lab.postgres.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
        (SLOT,),
    )
    if lab.recall().get("kept"):
        _set(lab, sql.SQL("ALTER SYSTEM RESET {}"), "-1")


def _set(lab: Lab, statement: sql.SQL, value: str) -> None:
    """Return once the server has read it: a reload is only asked for."""
    lab.postgres.execute(statement.format(sql.Identifier(_KEPT)))
    lab.postgres.execute("SELECT pg_reload_conf()")
    limit = time.monotonic() + _SOON_S
    while True:
        row = lab.postgres.execute("SELECT current_setting(%s)", (_KEPT,)).fetchone()
        if row is not None and row[0] == value:
            return
        if time.monotonic() > limit:
            raise LabError(f"PostgreSQL does not take {_KEPT} = {value}")
        time.sleep(0.01)


SCENARIO = Scenario(
    title="A replica has lost its slot",
    runbook="003, monthly maintenance; 000, database health",
    breaks="nobody reads a replication slot, and the log that its replica needs is gone",
    expected={"postgres.replication": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    outside="drop the slot, and make the replica anew",
)
