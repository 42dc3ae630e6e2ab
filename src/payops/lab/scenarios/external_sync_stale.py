"""Nothing was read from a barber's own processor for 30 hours, though it says that it is connected.

Its notices do not arrive and the synchronization does not run: payments are missing, and the totals
of the connection are those of yesterday (runbook 003, external processor connection issues:
inactive for more than 24 hours; 'Sync External Transactions').
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.lab.outsidefaults import CONNECTIONS, change, connections, put_rows_right
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

# Runs of the synchronization before it stood still had read all but these.
_MISSED = """
UPDATE payment_processor_connections AS connection SET
  total_transactions = total_transactions - late.count,
  total_volume = total_volume - late.amount
FROM (
  SELECT connection_id, count(*) AS count, sum(amount) AS amount FROM external_transactions
  WHERE connection_id = ANY(%(keys)s) AND created_at > %(began)s GROUP BY connection_id
) AS late
WHERE late.connection_id = connection.id
"""


def inject(lab: Lab, parameters: Parameters) -> None:
    began = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=parameters["hours"])
    keys = connections(lab, parameters["count"])
    # No zone: UTC.
    change(lab, CONNECTIONS, keys, {"last_transaction_at": began, "last_sync_at": began})
    lab.postgres.execute(_MISSED, {"keys": keys, "began": began})


SCENARIO = Scenario(
    title="An outside processor is not read any more",
    runbook="003, external processor connection issues",
    breaks="connected processors were not read for 30 hours: no transaction, totals of yesterday",
    expected={"external.silent": Status.WARN},
    elsewhere={"external.totals": Status.WARN},
    inject=inject,
    heal=put_rows_right,
    presets=("bookedbarber",),
    changes=frozenset({"connections"}),
    parameters={
        "hours": Parameter(30, 25, 720, "for how long; 24 h are allowed"),
        "count": Parameter(1, 1, 3, "how many connections"),
    },
    mild={"hours": 26},
    severe={"hours": 72, "count": 3},
    outside="run the application's synchronization of these connections",
)
