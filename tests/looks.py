"""Looks made up for the tests of a diagnosis: two runbooks, and what the checks said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.impact import Surroundings
from payops.domain.money import MoneyAtRisk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.diagnose import Observation
from payops.engine.diagnosis import Seen
from payops.runbook.read import parsed
from tools import NOW, before, money

BREAKER = """\
---
id: circuit-stuck-open
title: The circuit breaker is stuck open
severity: P1
symptoms:
  confirm:
    - {check: circuit.stripe, is: CRIT, decisive: true, says: "it is open, and Stripe answers"}
    - {check: stripe.api, is: OK, says: Stripe answers}
    - {check: payments.latency, is: OK}
  refute:
    - {check: stripe.api, is: CRIT, decisive: true, says: Stripe does not answer}
  neutral: [payments.failure-rate, payments.success-rate]
next:
  - {text: Close the breaker, command: "payops circuit reset {breaker}"}
  - {text: Find what was lost, command: "payops reconcile --since {since} --save-plan {plan}"}
parameters:
  since: {default: 24h, meaning: how far back}
steps:
  - {id: look, run: payops circuit status}
---
# Stuck open
"""
OUTAGE = """\
---
id: stripe-outage
title: Stripe is down
severity: P2
symptoms:
  confirm:
    - {check: stripe.api, is: CRIT, decisive: true, says: Stripe does not answer}
    - {check: stripe.status-page, says: Stripe says so itself}
  refute:
    - {check: payments.latency, is: OK}
  neutral: ["reconcile.*", payments.failure-rate, circuit.stripe]
next:
  - {text: Wait}
  - {text: Watch it, command: "payops health --watch 30s --only stripe"}
---
# Down
"""
PAGES = (parsed(BREAKER, "circuit-stuck-open.md"), parsed(OUTAGE, "stripe-outage.md"))


def check(
    id_: str,
    status: Status = Status.OK,
    summary: str = "",
    *,
    minutes: float | None = None,
    money: Sequence[MoneyAtRisk] = (),
    action: Action | None = None,
    advisory: bool = False,
    **measured: Scalar,
) -> CheckResult:
    """What a check found; its trouble began `minutes` ago."""
    return CheckResult(
        status,
        summary or f"{id_} says {status.value}",
        source="postgres",
        as_of=NOW,
        since=before(minutes * 60) if minutes is not None else None,
        measured=measured,
        evidence=(Evidence("seen", "postgres", NOW, {"request_id": "req_abc12345"}),),
        actions=(action,) if action else (),
        money_at_risk=tuple(money),
        id=id_,
        title=id_,
        advisory=advisory,
        duration_ms=3,
    )


def discrepancy(
    match_class: str, local_status: str = "", minor: int = 1000, minutes: float = 60
) -> dict[str, Any]:
    """One as it stands in the JSON of reconcile."""
    return {
        "class": match_class,
        "local_status": local_status or None,
        "local_id": "p1",
        "money": {"currency": "usd", "minor": minor},
        "age_s": minutes * 60,
        "created": (NOW - timedelta(minutes=minutes)).isoformat(),
    }


def look(
    *checks: CheckResult,
    discrepancies: Sequence[Mapping[str, Any]] = (),
    left_out: int = 0,
    failures: Mapping[str, str] | None = None,
    around: Surroundings | None = None,
    as_of: datetime = NOW,
) -> Seen:
    """What was seen: checks of `reconcile.` in its part, the others in health's."""
    compared = tuple(one for one in checks if one.id.startswith("reconcile."))
    asked = tuple(one for one in checks if one not in compared)
    reports = {"health": Report("health", as_of, "production", asked)}
    if compared:
        extra = {"discrepancies": list(discrepancies), "left_out": left_out}
        reports["reconcile"] = Report("reconcile", as_of, "production", compared, extra=extra)
    observation = Observation(
        as_of=as_of,
        window=Window(as_of - timedelta(hours=1), as_of),
        environment="production",
        preset="reference",
        reports=reports,
        failures=failures or {},
        stripe_calls=21,
        duration_ms=1234,
    )
    return Seen(observation, around or Surroundings())


INCIDENT = (
    check("circuit.stripe", Status.CRIT, "open for 12 min", minutes=12),
    check("stripe.api"),
    check("payments.latency", Status.UNKNOWN, "not told"),
    check(
        "payments.failure-rate",
        Status.CRIT,
        "9 of 10 payments failed",
        minutes=11,
        money=[money("usd", 4500, 8), money("jpy", 700, 1)],
        failed=9,
        rate=90.0,
    ),
    check("reconcile.matched", count=200),
    check(
        "reconcile.missing_in_ledger",
        Status.CRIT,
        "1 charged and not recorded",
        minutes=50,
        money=[money("usd", 1_200_000, 1)],
        action=Action("See it", "payops reconcile --only missing_in_ledger"),
        count=1,
    ),
)
"""A breaker that is stuck open, and beside it a charge that is not recorded, which none of the two
runbooks explains."""
