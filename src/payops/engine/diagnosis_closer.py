"""A second look: at the checks that would tell two likely causes apart and gave no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from payops.diagnosis.apart import Apart
from payops.domain.evidence import Action
from payops.domain.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.report import Report
    from payops.engine.diagnose import Observation
    from payops.engine.runner import Fault
    from payops.sources import Sources

MOST_STRIPE_CALLS = 30
_EACH_STRIPE = 3  # requests that a check of Stripe's may take
_LEAST_S = 0.5
_ELSEWHERE = {
    "reconcile": "payops reconcile --since 24h",
    "webhooks": "payops webhooks status",
    "keys": "payops keys check",
    "circuit": "payops circuit status",
    "external": "payops reconcile external",
}


def looked_closer(
    settings: Settings,
    observation: Observation,
    wanted: Iterable[Apart],
    sources: Sources,
    deadline: Deadline,
    on_fault: Fault | None = None,
) -> Observation:
    """The look with those of the wanted checks that are cheap asked once more; the same look where
    there is none, no time, or no request left."""
    left = MOST_STRIPE_CALLS - observation.stripe_calls
    ids = [id_ for id_ in _cheap(settings, wanted) if _may(id_, left)]
    if not ids or deadline.remaining < _LEAST_S:
        return observation
    from payops.engine.health import examine

    report = examine(
        settings,
        ids,
        window=observation.window,
        deadline=deadline,
        on_fault=on_fault,
        sources=sources,
    )
    return _with(observation, report, sources.every_stripe_call())


def _cheap(settings: Settings, wanted: Iterable[Apart]) -> tuple[str, ...]:
    from payops.checks import ids_in, without_deep

    quick = set(without_deep(ids_in(settings)))
    return tuple(dict.fromkeys(one.check for one in wanted if one.check in quick))


def _may(id_: str, left: int) -> bool:
    from payops.checks import load_check

    try:
        asks_stripe = "stripe" in load_check(id_).source
    except KeyError:  # own.NAME stands in the configuration
        return True
    return not asks_stripe or left >= _EACH_STRIPE


def _with(observation: Observation, report: Report, calls: int) -> Observation:
    """The look with what was asked again in the place of what gave no answer."""
    health = observation.reports.get("health", report)
    new = {check.id: check for check in report.checks if check.status is not Status.UNKNOWN}
    there = {check.id for check in health.checks}
    checks = (
        *(new.get(check.id, check) for check in health.checks),
        *(check for id_, check in new.items() if id_ not in there),
    )
    return replace(
        observation,
        reports={**observation.reports, "health": replace(health, checks=checks)},
        stripe_calls=observation.stripe_calls + calls,
    )


def asking(one: Apart) -> Action:
    """The command that asks the check that tells two causes apart."""
    family, _, name = one.check.partition(".")
    text = f"Tells {one.one} from {one.other}: {one.check}"
    if family in _ELSEWHERE and (family, name) not in _OF_HEALTH:
        return Action(text, _ELSEWHERE[family])
    return Action(text, f"payops health --deep --only {one.check}")


_OF_HEALTH = frozenset({("circuit", "state"), ("webhooks", "backlog"), ("keys", "configured")})
