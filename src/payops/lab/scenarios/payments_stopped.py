"""No payment has been recorded for over an hour, at a time at which many come every day.

Users or collectors cannot record payments (runbook 004, 'Symptoms'): the page is broken before it
asks anybody, so nothing fails, every rate is good, and Stripe knows of none either.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameters, Scenario
from payops.lab.unmaking import make_again, unmake

DAYS, A_DAY = 7, 12
# Of each day the hour at which it is now, up to five minutes before.
_EACH = timedelta(minutes=55) / A_DAY


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    found = lab.postgres.execute(
        "SELECT id::text, processor_ref FROM payments p "
        "WHERE created_at > now() - interval '90 minutes' "
        "AND NOT EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id) ORDER BY created_at"
    ).fetchall()
    if not found:
        raise LabError("the lab has no recent payments", hint="start one with more payments")
    now = datetime.now(UTC)

    def earlier(number: int) -> dict[str, object]:
        day, nth = divmod(number, A_DAY)
        return {"created_at": now - timedelta(days=day + 1) - (nth + 0.5) * _EACH}

    add_payments(lab, DAYS * A_DAY, earlier, minutes=1, stripe="succeeded")
    unmake(lab, dict(found))


def heal(lab: Lab) -> None:
    take_away(lab)
    make_again(lab)


SCENARIO = Scenario(
    title="No payment comes any more",
    runbook="004, symptoms",
    breaks="nothing was recorded for over an hour, where a dozen come each day",
    expected={"payments.volume": Status.CRIT},
    inject=inject,
    heal=heal,
    changes=frozenset({"payments"}),
    outside="put back the release whose checkout worked",
)
