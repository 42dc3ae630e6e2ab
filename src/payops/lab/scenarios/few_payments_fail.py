"""One payment in thirty fails by our fault: too few for the success rate, too many to be chance.

A worker of a new version fails, beside many of the old one. Runbook 000 alerts above 2 % of errors
and below 95 % of success: between the two lies this.
"""

from __future__ import annotations

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameters, Scenario

_IN = 30
_LEAST = 2


def inject(lab: Lab, parameters: Parameters) -> None:
    del parameters
    row = lab.postgres.execute(
        "SELECT count(*) FROM payments WHERE created_at > now() - interval '1 hour'"
    ).fetchone()
    recent = row[0] if row else 0
    # Of all of the hour, these among them.
    failed = max(_LEAST, -(-recent // _IN))
    count = max(failed, failed * _IN - recent)

    def one(number: int) -> dict[str, object]:
        if number < failed:
            return {
                "status": "failed",
                "failure_code": "internal_error",
                "failure_message": "InjectedError: a new version's mistake",
                "processor_ref": None,  # it failed with us, before Stripe was asked
            }
        return {"status": "succeeded"}

    add_payments(lab, count, one, minutes=50, stripe="succeeded")


SCENARIO = Scenario(
    title="A few payments fail",
    runbook="000, error rate",
    breaks="one payment in thirty of the last hour failed with an error of our own",
    expected={"payments.failure-rate": Status.WARN},
    inject=inject,
    heal=take_away,
    outside="find out in the application's log why they fail",
)
