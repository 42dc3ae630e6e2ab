"""The breaker before Stripe opens and closes again and again.

Stripe answers now and does not then: a few failures open the breaker, half a minute later a trial
goes through, and soon it opens again. Each time its counters begin anew, so one look tells little;
the ledger tells the whole: bursts of failures, refusals (`circuit_open`) for half a minute,
payments that succeed, and all over again (runbook 004, scenario 2: closed by hand, it opens again).
"""

from __future__ import annotations

import random
from datetime import timedelta

from payops.domain.status import Status
from payops.lab.adding import add_payments, take_away
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario
from payops.lab.shop import half_open_breaker, restore_breaker

# Runbook 004: 5 failures in 60 s open it, 30 s later one may try.
FAILURES = 5
REFUSED = 3


def inject(lab: Lab, parameters: Parameters) -> None:
    times, minutes = parameters["times"], parameters["minutes"]
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    now = lab.postgres.execute("SELECT now()").fetchone()
    assert now is not None  # noqa: S101  one row always
    each = FAILURES + REFUSED

    def failed(number: int) -> dict[str, object]:
        burst, nth = divmod(number, each)
        # The last opening was 40 s ago: its trial is due, and has begun.
        began = timedelta(seconds=90 + (times - 1 - burst) * 60 * minutes / times)
        refused = nth >= FAILURES
        at = timedelta(seconds=5 * nth + rng.random())
        return {
            "status": "failed",
            "failure_code": "circuit_open" if refused else "api_connection_error",
            "failure_message": "breaker open" if refused else "Stripe did not answer.",
            "processor_ref": None,
            "customer_id": f"cus_lab{number:011d}",
            "created_at": now[0] - began + at,
        }

    add_payments(lab, times * each, failed, minutes=minutes)
    half_open_breaker(lab, seconds_ago=40, failures=FAILURES)


def heal(lab: Lab) -> None:
    take_away(lab)
    restore_breaker(lab)


SCENARIO = Scenario(
    title="The circuit breaker flaps",
    runbook="004, scenario 2",
    breaks="the breaker opened several times within the hour, and is half-open again",
    expected={
        "circuit.state": Status.WARN,
        "payments.success-rate": Status.CRIT,
        "payments.failure-rate": Status.CRIT,
        "payments.failing-customers": Status.CRIT,
    },
    inject=inject,
    heal=heal,
    changes=frozenset({"breaker"}),
    parameters={
        "times": Parameter(6, 2, 30, "how often it opened"),
        "minutes": Parameter(40, 5, 55, "in how long"),
    },
    mild={"times": 3, "minutes": 30},
    severe={"times": 15, "minutes": 50},
    outside="find what comes and goes between here and Stripe: a proxy, a node, a limit",
)
