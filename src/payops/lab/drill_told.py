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
    ("webhooks.*", "Support: some customers paid, and the shop does not know of it."),
    ("app.*", "The uptime monitor: the shop does not answer as it should."),
    ("postgres.connect", "The uptime monitor: half of the shop's pages fail."),
    ("redis.connect", "The uptime monitor: half of the shop's pages fail."),
    ("queue.*", "Support: receipts and confirmations do not come."),
    ("circuit.*", "The application's log: payments are refused, and Stripe was not asked."),
    ("keys.*", "A colleague changed something about our Stripe keys, and is on a train now."),
)
# Where many cannot pay, nobody calls for one.
_OF_MANY = {"payments.success-rate", "payments.failure-rate", "payments.declines"}
_OF_ONE = {"payments.failing-customers"}
_MONITOR = "The monitor: `payops health --check` is {status} since a few minutes."
_NOTHING = "A colleague has an odd feeling about something. No alert has come."
_MOST = 3


def told_of(
    scenarios: Iterable[Scenario], made: System, severity: Severity, *, most: int = _MOST
) -> tuple[str, ...]:
    """What is heard of them: at most so many sentences of people, and the monitor's."""
    checks: set[str] = set()
    statuses: set[Status] = set()
    for scenario in scenarios:
        promised = scenario.expected_in(made, severity)
        checks |= set(promised)
        checks |= {f"reconcile.{each}" for each in scenario.classes}
        checks |= {f"webhooks.{each}" for each in scenario.causes_in(made)}
        checks |= set(scenario.elsewhere)
        statuses |= set(promised.values())
    heard = list(_heard(checks))[:most]
    if statuses:
        worst = "CRIT" if Status.CRIT in statuses else "WARN"
        heard.append(_MONITOR.format(status=worst))
    return tuple(heard) or (_NOTHING,)


def _heard(checks: set[str]) -> Iterator[str]:
    left = checks - _OF_ONE if checks & _OF_MANY else set(checks)
    said: set[str] = set()
    for pattern, sentence in _SAID:
        about = {check for check in left if fnmatchcase(check, pattern)}
        left -= about
        if about and sentence not in said:
            said.add(sentence)
            yield sentence
