"""A replica receives everything and replays nothing: what is read from it is old.

A long query on the replica holds its replay up, or its disk is slow. A ledger that is read there
shows payments as missing that were made (runbook 003, monthly maintenance; runbook 000, database
health). A quarter of a GiB is what payops allows; the lab writes less, and its configuration allows
8 MiB.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab import background, replica
from payops.lab.keyfaults import put_right
from payops.lab.limits import tighten
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario

MIB = 1024**2
ALLOWED = 8


def inject(lab: Lab, parameters: Parameters) -> None:
    tighten(lab, "postgres.replication", "lag_bytes", ALLOWED * MIB)
    replica.follow(lab)
    for _ in range(parameters["mebibytes"]):
        lab.postgres.execute(
            "SELECT pg_logical_emit_message(true, 'lab', repeat('a busy hour ', %s))",
            (MIB // 12,),
        )
        replica.sent(lab)


def heal(lab: Lab) -> None:
    background.end(lab)
    put_right(lab)


SCENARIO = Scenario(
    title="A replica is behind",
    runbook="003, monthly maintenance; 000, database health",
    breaks="a replica named replica-2 replays nothing of what it receives",
    expected={"postgres.replication": Status.WARN},
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    changes=frozenset({"configuration"}),
    parameters={"mebibytes": Parameter(24, 10, 512, "how much is not replayed; 8 are allowed")},
    mild={"mebibytes": 12},
    severe={"mebibytes": 128},
    outside="see what holds the replica's replay up (a query there, its disk), and end it",
)
