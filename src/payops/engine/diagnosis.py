"""`payops diagnose`: looks, looks closer where two causes are alike, and tells what it is.

What was seen (`Seen`) is all that the answer is made of, so that it can be kept in a file and be
told again: `report_of` asks nobody.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from payops.diagnosis.apart import Apart, apart
from payops.diagnosis.escalation import escalation_of
from payops.diagnosis.impact import impact_of, since_of
from payops.diagnosis.rank import Ground, Hypothesis, Verdict
from payops.diagnosis.signals import signals_of
from payops.domain.evidence import Action
from payops.domain.impact import Affected, Impact, Surroundings
from payops.domain.people import nameless
from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.symptom import Signal
from payops.engine.diagnose import Observation, diagnose, look
from payops.engine.diagnosis_around import around, compared
from payops.engine.diagnosis_closer import MOST_STRIPE_CALLS, asking, looked_closer
from payops.engine.diagnosis_next import actions_of, first_of
from payops.sources import Sources
from payops.sources.allowance import Allowance

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.runbook import Runbook
    from payops.domain.symptom import Suspect
    from payops.domain.window import Window
    from payops.engine.runner import Fault

_SPARE_S = 0.2  # below this nothing more is asked
_ASKED = "diagnose."  # ids of parts that gave no report


@dataclass(frozen=True)
class Seen:
    """One look, what is known beside it, and the file of the configuration where it was named: the
    next commands need it too."""

    observation: Observation
    around: Surroundings = field(default_factory=Surroundings)
    config: str = ""


def suspects_in(pages: Sequence[Runbook]) -> tuple[Suspect, ...]:
    """Every scenario that the runbooks know."""
    return tuple(suspect for page in pages for suspect in page.suspects)


def examined(
    settings: Settings,
    window: Window,
    deadline: Deadline,
    pages: Sequence[Runbook],
    on_fault: Fault | None = None,
) -> Seen:
    """Look at everything once, never later than the deadline; at what would tell two causes apart
    once more, where it is cheap; and ask the ledger whom it concerns."""
    started = time.monotonic()
    observation = look(settings, window, deadline, on_fault)
    verdict = diagnose(observation, suspects_in(pages))
    asked: Sources | None = None
    if verdict.abnormal and deadline.remaining > _SPARE_S:
        left = Allowance(max(0, MOST_STRIPE_CALLS - observation.stripe_calls), 0)
        asked = Sources(settings, deadline.sooner(0.1, at_most=0.3), left)
    try:
        if asked is not None and (wanted := apart(verdict, signals_of(observation.checks))):
            observation = looked_closer(settings, observation, wanted, asked, deadline, on_fault)
        signals = signals_of(observation.checks)
        reads = asked if _answers(signals, "postgres.connect") else None
        now = observation.as_of
        since = since_of(diagnose(observation, suspects_in(pages)), signals, (), now)
        losses = compared(observation.reports)
        known = around(settings, signals, losses, window, now, reads, since)
    finally:
        if asked is not None:
            asked.close()
    lasted = round((time.monotonic() - started) * 1000)
    return Seen(replace(observation, duration_ms=lasted), known)


def _answers(signals: Mapping[str, Signal], id_: str) -> bool:
    one = signals.get(id_)
    return one is not None and one.status in (Status.OK, Status.WARN) and not one.silent


def report_of(seen: Seen, pages: Sequence[Runbook]) -> Report:
    """What was seen, told: the report, with the sections of the JSON beside its checks."""
    observation = seen.observation
    verdict = diagnose(observation, suspects_in(pages))
    signals = signals_of(observation.checks)
    impact = impact_of(
        signals, compared(observation.reports), seen.around, verdict, observation.as_of
    )
    telling = _Telling(seen, {page.id: page for page in pages}, signals, verdict, impact)
    return Report(
        command="diagnose",
        generated_at=observation.as_of,
        environment=observation.environment,
        checks=observation.checks,
        stripe_calls=observation.stripe_calls,
        duration_ms=observation.duration_ms,
        extra=telling.sections(),
    )


@dataclass(frozen=True)
class _Telling:
    """A verdict as the report tells it."""

    seen: Seen
    pages: Mapping[str, Runbook]
    signals: Mapping[str, Signal]
    verdict: Verdict
    impact: Impact

    def sections(self) -> dict[str, object]:
        verdict, observation = self.verdict, self.seen.observation
        escalation = escalation_of(
            self.impact, verdict, self.signals, self.seen.around, observation.as_of
        )
        causes = [self._actions(one) for one in verdict.causes]
        return {
            "window": {
                "since": observation.window.since.replace(microsecond=0),
                "until": observation.window.until.replace(microsecond=0),
            },
            "impact": seconds_alone(self.impact),
            "escalation": escalation,
            "hypotheses": [self._hypothesis(one) for one in verdict.hypotheses],
            "unexplained": [_unexplained(one) for one in self._unexplained()],
            "ruled_out": [self._ruled_out(one) for one in verdict.ruled_out],
            "tells_apart": [self._apart(one) for one in apart(verdict, self.signals)],
            "not_asked": [
                {"part": part, "why": nameless(why)} for part, why in observation.failures.items()
            ],
            "next": first_of(causes, self._unexplained()),
        }

    def _unexplained(self) -> tuple[Signal, ...]:
        """What is abnormal and has no cause; a part that was not asked is told as such."""
        return tuple(one for one in self.verdict.unexplained if not one.check.startswith(_ASKED))

    def _actions(self, one: Hypothesis) -> tuple[Action, ...]:
        page = self.pages.get(one.suspect.runbook)
        observation = self.seen.observation
        return actions_of(one, page, self.signals, self.impact, self.seen.around, observation.as_of)

    def _hypothesis(self, one: Hypothesis) -> dict[str, object]:
        is_cause = one in self.verdict.causes
        return {
            "scenario": one.scenario,
            "title": one.suspect.title,
            "role": "cause" if is_cause else "alternative",
            "confidence": one.confidence,
            "severity": one.suspect.severity,
            "runbook": one.suspect.runbook,
            "for": [_ground(each) for each in one.for_],
            "against": [_ground(each) for each in one.against],
            "explains": sorted(one.explains),
            "follows_from": None if is_cause else self._from(one),
            "actions": self._actions(one),
        }

    def _from(self, one: Hypothesis) -> str | None:
        """The cause from which all follows that an alternative is known by."""
        known_by = one.decisive & one.explains or one.decisive
        fitting = (each for each in self.verdict.causes if known_by <= each.explains)
        return next((each.scenario for each in fitting), None)

    def _ruled_out(self, one: Hypothesis) -> dict[str, object]:
        why = next((each for each in one.against if each.decisive), None)
        return {
            "scenario": one.scenario,
            "title": one.suspect.title,
            "why": nameless(why.says) if why else "",
            "check": why.check if why else None,
        }

    def _apart(self, one: Apart) -> dict[str, object]:
        return {
            "between": [one.one, one.other],
            "check": one.check,
            "speaks": f"{'against' if one.against else 'for'} {one.one}",
            "actions": [asking(one)],
        }


def _ground(one: Ground) -> dict[str, object]:
    return {
        "check": one.check,
        "status": one.status,
        "says": nameless(one.says),
        "decisive": one.decisive,
    }


def _unexplained(one: Signal) -> dict[str, object]:
    return {
        "check": one.check,
        "status": one.status,
        "summary": nameless(one.summary),
        "actions": one.actions,
    }


def seconds_alone(impact: Impact) -> Impact:
    """The impact with its times as reports show them, to the second."""
    since = impact.since.replace(microsecond=0) if impact.since else None
    return replace(
        impact,
        since=since,
        parts=_to_the_second(impact.parts),
        refunds=_to_the_second(impact.refunds),
    )


def _to_the_second(parts: Sequence[Affected]) -> tuple[Affected, ...]:
    return tuple(
        replace(part, since=part.since.replace(microsecond=0) if part.since else None)
        for part in parts
    )
