"""Whether a scenario is over: what still says that it is not, for the end of a drill.

The checks that the scenario promises are run again, in this process, by the lab's configuration;
where it touches money a reconciliation is made, and where events were lost their way is looked at.
What other scenarios in force show is told as well: nobody can tell whose a discrepancy is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.deadline import Deadline
from payops.domain.discrepancy import MatchClass
from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.window import Window
from payops.lab.parameter import USUAL, Severity
from payops.lab.scenario import Scenario, load_scenario

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.lab.running import Lab

# What is judged by the hour stays as it was until the hour is over, however well all is by then.
OF_THE_PAST = frozenset(
    {
        "payments.success-rate",
        "payments.failure-rate",
        "payments.failing-customers",
        "payments.latency",
        "payments.declines",
        "payments.velocity",
    }
)
# Stripe counts an event as undelivered until it has tried again itself, hours later, whatever was
# replayed meanwhile. What is lost of them is told by their way.
UNTIL_STRIPE_TRIES_AGAIN = frozenset({"webhooks.backlog"})
_UNDELIVERED = "webhooks.undelivered"
_HEALTH_S, _MONEY_S = 15.0, 60.0
# Losses and lost rows of scenarios lie within their history, of which the lab says how long it is.
_SLACK = timedelta(hours=1)
# Told by objects that changed without an event.
_MADE_KNOWN = frozenset({"event-never-generated"})
_WELL = frozenset({Status.OK, Status.SKIP})


def repaired(lab: Lab, name: str, severity: Severity = USUAL) -> list[str]:
    """What still stands of a scenario, a sentence each, a check's with its id; empty: it is over.

    Raises UsageError for a scenario that is not there.
    """
    from payops.config.load import load

    found = load_scenario(name)
    settings = load(lab.info.config).settings
    still = _health(lab, settings, found, severity)
    if found.classes:
        still += _money(lab, settings, found)
    if found.elsewhere:
        still += _external(settings, found)
    if found.causes:
        still += _events(lab, settings, found)
    if found.still is not None:
        lab.scenario = name
        still += found.still(lab)
    return still


def _health(lab: Lab, settings: Settings, found: Scenario, severity: Severity) -> list[str]:
    from payops.checks.own import own_ids
    from payops.engine.health import examine

    promised = dict(found.expected_in(lab.system, severity))
    if found.cured_by != "heal":
        for past in OF_THE_PAST:
            promised.pop(past, None)
    if found.cured_by == "both" and found.causes_in(lab.system):
        for counted in UNTIL_STRIPE_TRIES_AGAIN:
            promised.pop(counted, None)
    known = {*own_ids(settings), *(id_ for id_ in promised if not id_.startswith("own."))}
    ids = tuple(id_ for id_ in promised if id_ in known)
    if not ids:
        return []
    now = datetime.now(UTC)
    window = Window(now - timedelta(hours=1), now)
    return _told(examine(settings, ids, window=window, deadline=Deadline.after(_HEALTH_S)))


def _money(lab: Lab, settings: Settings, found: Scenario) -> list[str]:
    from payops.engine.reconcile import ReconcileOptions, reconcile

    options = ReconcileOptions(
        window=_history(lab),
        only=tuple(each for each in MatchClass if each.value in found.classes),
        look_for_causes=False,
        fresh=True,
    )
    return _told(reconcile(settings, options, Deadline.after(_MONEY_S)).report)


def _external(settings: Settings, found: Scenario) -> list[str]:
    from payops.engine.external import reconcile_external

    report = reconcile_external(settings, None, Deadline.after(_MONEY_S))
    return _told(report, only=found.elsewhere)


def _events(lab: Lab, settings: Settings, found: Scenario) -> list[str]:
    from payops.engine.webhooks import Asking, status

    # Without a probe: what the endpoint did to events is told by them.
    asking = Asking(probe=False, objects=bool(_MADE_KNOWN & found.causes))
    report = status(settings, _history(lab), Deadline.after(_MONEY_S), asking)
    causes = found.causes_in(lab.system)
    if not causes:
        return []
    # Once the endpoint is well, nobody can say any more why events were not delivered before.
    lost = [check.id for check in report.checks if check.id == _UNDELIVERED and check.money_at_risk]
    return _told(report, only=(*(f"webhooks.{cause}" for cause in causes), *lost))


def _history(lab: Lab) -> Window:
    now = datetime.now(UTC)
    return Window(now - timedelta(seconds=lab.info.since_s) - _SLACK, now)


def _told(report: Report, only: Iterable[str] = ()) -> list[str]:
    chosen = frozenset(only)
    return [
        f"{check.id} is {check.status.value}: {check.summary}"
        for check in report.checks
        if check.status not in _WELL and not check.advisory and (not chosen or check.id in chosen)
    ]
