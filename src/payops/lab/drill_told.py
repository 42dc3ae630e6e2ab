"""What people say of an incident before anybody knows what it is: customers, support, accounting,
the monitor. Made of the checks that a scenario trips, so that it says no more than can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from payops.domain.status import Status
from payops.lab.parameter import Severity
from payops.lab.scenario import Scenario
from payops.lab.systems import System

# In this order: what customers notice comes first, and is heard first.
_SAID: tuple[tuple[str, str], ...] = (
    ("payments.success-rate", "Support: customers write that they cannot pay."),
    ("payments.failure-rate", "Support: customers write that they cannot pay."),
    ("payments.declines", "Support: customers say that their cards are refused."),
    ("payments.requires-action", "Support: customers hang at their bank's page."),
    ("payments.duplicates", "A customer: I was charged twice."),
    ("payments.stuck-pending", "Support: customers were charged, and their orders stay unpaid."),
    ("payments.latency", "Support: paying takes for ever, customers say."),
    ("payments.volume", "The shop's owner: it is so quiet today. Is anything wrong?"),
    ("payments.failing-customers", "Support: one customer has called four times about a payment."),
    ("reconcile.*", "Accounting: our numbers are not Stripe's."),
    ("payments.disputes", "Accounting: there is mail from Stripe about a dispute."),
    ("payments.fraud-warnings", "Accounting: there is mail from Stripe about a charge."),
    ("payments.*", "Accounting: something about today's payments looks odd."),
    ("stripe.payouts", "Accounting: the payout has not come."),
    ("stripe.balance", "Accounting: the balance at Stripe looks odd."),
    ("external.*", "A seller: my payments outside Stripe are not right in the dashboard."),
    ("webhooks.processed-twice", "Support: a customer has two receipts, and two parcels."),
    ("webhooks.*", "Support: customers were charged, and their orders stay unpaid."),
    ("app.*", "The uptime monitor: the shop does not answer as it should."),
    ("postgres.connect", "The uptime monitor: the shop does not answer as it should."),
    ("redis.connect", "The uptime monitor: the shop does not answer as it should."),
    ("queue.*", "Support: receipts and confirmations do not come."),
    ("circuit.*", "The application's log: payments are refused, and Stripe was not asked."),
    ("keys.*", "A colleague changed something about our Stripe keys, and is on a train now."),
)
# Where many cannot pay, nobody calls for one.
_OF_MANY = {"payments.success-rate", "payments.failure-rate", "payments.declines"}
_OF_ONE = {"payments.failing-customers"}
# Who gives no answer tells of no disputes: by what is known that a source is silent, what is heard
# of it then, and what cannot be seen.
_SILENT: tuple[tuple[frozenset[str], str, tuple[str, ...]], ...] = (
    (
        frozenset({"payments.disputes", "payments.fraud-warnings"}),
        "The monitor: what it asks Stripe gets no usable answer.",
        (
            *("stripe.*", "webhooks.*"),
            *("payments.captures", "payments.disputes", "payments.fraud-warnings"),
        ),
    ),
    (
        frozenset({"postgres.connect"}),
        "The uptime monitor: half of the shop's pages fail.",
        ("postgres.*", "payments.*", "webhooks.*", "external.*", "queue.*", "reconcile.*"),
    ),
)
_MONITOR = "The monitor: `payops health --check` has been {status} for a few minutes."
_NOTHING = "A colleague has an odd feeling about something. No alert has come."
_MOST = 3


def told_of(
    scenarios: Iterable[Scenario], made: System, severity: Severity, *, most: int = _MOST
) -> tuple[str, ...]:
    """What is heard of them: at most so many sentences of people, and the monitor's."""
    heard: dict[str, None] = {}
    statuses: set[Status] = set()
    for scenario in scenarios:
        statuses |= set(scenario.expected_in(made, severity).values())
        checks = _tripped(scenario, made, severity)
        silent = [one for one in _SILENT if one[0] <= checks]
        unseen = [pattern for _, _, patterns in silent for pattern in patterns]
        seen = {one for one in checks if not any(fnmatchcase(one, each) for each in unseen)}
        heard |= dict.fromkeys([*_heard(seen), *(sentence for _, sentence, _ in silent)])
    told = list(heard)[:most]
    if statuses:
        worst = "CRIT" if Status.CRIT in statuses else "WARN"
        told.append(_MONITOR.format(status=worst))
    return tuple(told) or (_NOTHING,)


def _tripped(scenario: Scenario, made: System, severity: Severity) -> set[str]:
    """The ids of all that sees it."""
    return {
        *scenario.expected_in(made, severity),
        *(f"reconcile.{each}" for each in scenario.classes),
        *(f"webhooks.{each}" for each in scenario.causes_in(made)),
        *scenario.elsewhere,
    }


def _heard(checks: set[str]) -> Iterator[str]:
    left = checks - _OF_ONE if checks & _OF_MANY else set(checks)
    said: set[str] = set()
    for pattern, sentence in _SAID:
        about = {check for check in left if fnmatchcase(check, pattern)}
        left -= about
        if about and sentence not in said:
            said.add(sentence)
            yield sentence
