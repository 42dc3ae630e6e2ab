"""Whether what was said of a case is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from benchmarks.accuracy_cases import Case, accepted
from benchmarks.accuracy_look import Look, pages
from payops.checks import check_ids, without_deep
from payops.diagnosis.rank import Verdict
from payops.diagnosis.signals import signals_of
from payops.domain.symptom import Signal
from payops.engine.diagnose import Observation, diagnose
from payops.engine.diagnosis import suspects_in


class Outcome(Enum):
    """What became of one case."""

    RIGHT = "right"
    BESIDE = "right, and named another beside it"
    WRONG = "wrong"
    MISSED = "missed"
    HIDDEN = "one hides the other"
    ONE = "one of two"
    ALARM = "false alarm"


GOOD = frozenset({Outcome.RIGHT, Outcome.HIDDEN})


@dataclass(frozen=True)
class Judged:
    """A case and what was said of it: `named` are the causes, the likeliest first, `unexplained`
    the checks without one, `signals` all that was seen."""

    case: Case
    outcome: Outcome
    named: tuple[str, ...]
    unexplained: tuple[str, ...]
    signals: Mapping[str, Signal]
    seconds: float
    calls: int
    version: str = ""

    @property
    def said(self) -> str:
        """What was said, for the list of what was missed."""
        told = ", ".join(self.named)
        if self.unexplained:
            without = f"without a cause: {', '.join(sorted(self.unexplained))}"
            told = f"{told}; {without}" if told else without
        return told or "nothing is wrong"


def judged(look: Look, alone: Callable[[Case], Look]) -> Judged | None:
    """What to make of a look; None for a case that cannot be. `alone` gives the look at one
    scenario of a pair, which tells by what it is known."""
    if look.seen is None:
        return None
    observation = look.seen.observation
    signals = signals_of(observation.checks)
    verdict = _verdict(look)
    named = tuple(one.scenario for one in verdict.causes)
    case = look.case

    def hidden(scenario: str) -> bool:
        known_by = _known_by(alone(replace(case, scenarios=(scenario,))), scenario)
        return all(gave_no_answer(check, observation, signals) for check in known_by)

    return Judged(
        case,
        outcome_of(case, named, bool(verdict.abnormal), hidden),
        named,
        tuple(one.check for one in verdict.unexplained),
        signals,
        observation.duration_ms / 1000,
        observation.stripe_calls,
        look.version,
    )


def _verdict(look: Look) -> Verdict:
    assert look.seen is not None
    return diagnose(look.seen.observation, suspects_in(pages()))


def outcome_of(
    case: Case, named: Sequence[str], abnormal: bool, hidden: Callable[[str], bool]
) -> Outcome:
    """What to make of what was `named`, the likeliest first; `abnormal` is whether anything was,
    `hidden` whether that which a scenario is known by gave no answer."""
    if not case.scenarios:
        return Outcome.ALARM if abnormal or named else Outcome.RIGHT
    names = [accepted(scenario) for scenario in case.scenarios]
    found = [bool(each & set(named)) for each in names]
    if not any(found):
        return Outcome.WRONG if named else Outcome.MISSED
    right = frozenset().union(*names)
    if named[0] not in right:
        return Outcome.WRONG
    if not all(found):
        is_hidden = hidden(case.scenarios[found.index(False)])
        return Outcome.HIDDEN if is_hidden else Outcome.ONE
    return Outcome.RIGHT if set(named) <= right else Outcome.BESIDE


def _known_by(look: Look, scenario: str) -> frozenset[str]:
    """The checks by which a scenario is known where it stands alone; none where it is not."""
    if look.seen is None:
        return frozenset({""})
    found = [one for one in _verdict(look).causes if one.scenario in accepted(scenario)]
    return frozenset().union(*(one.decisive for one in found)) or frozenset({scenario})


def gave_no_answer(check: str, observation: Observation, signals: Mapping[str, Signal]) -> bool:
    """Whether a check said nothing of its own: what it asks is silent, or it was not asked, since
    something else is in trouble."""
    signal = signals.get(check)
    if signal is not None:
        return _is_silent(signal)
    if check in check_ids() and check not in without_deep(check_ids()):
        return "deep" not in observation.reports
    family = check.partition(".")[0]
    return all(_is_silent(each) for id_, each in signals.items() if id_.partition(".")[0] == family)


def _is_silent(signal: Signal) -> bool:
    return not signal.answered or signal.silent or "failed" in signal.measured
