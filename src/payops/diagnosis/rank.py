"""Ranks the causes that the runbooks know by what was seen.

A suspect is thinkable when something decisive for it was seen and nothing decisive against it. One
cause explains many symptoms: a suspect whose decisive signals all follow from another that fits
better (they stand among what confirms that one, or among its neutral signals) is not an incident
of its own but an alternative. What is left over with decisive signals of its own is another
incident; what no cause explains is told as unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from payops.domain.status import Status
from payops.domain.symptom import Signal, Suspect, Symptom

# How much a signal weighs. That a decisive one is there is what a cause is known by; one that
# speaks against it counts twice what one for it does, since a wrong verdict costs more than none.
_DECISIVE, _FOR, _AGAINST, _MISSING = 3.0, 1.0, 2.0, 0.5
_HEAVY = {Status.CRIT: 3.0, Status.UNKNOWN: 1.0, Status.WARN: 1.0}


@dataclass(frozen=True)
class Ground:
    """One signal that speaks for or against a cause; `says` is what it means."""

    check: str
    status: Status
    says: str
    decisive: bool = False


@dataclass(frozen=True)
class Hypothesis:
    """A suspect held against what was seen.

    `confidence` is between 0 and 1: the weight of what speaks for it in all that speaks.
    `explains` are the abnormal checks that it accounts for, `decisive` those it is known by.
    `unasked` are checks that would speak of it and gave no answer.
    """

    suspect: Suspect
    confidence: float
    for_: tuple[Ground, ...] = ()
    against: tuple[Ground, ...] = ()
    decisive: frozenset[str] = frozenset()
    explains: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()

    @property
    def scenario(self) -> str:
        """The id of what it says it is."""
        return self.suspect.scenario


@dataclass(frozen=True)
class Verdict:
    """What it is (`causes`, independent incidents, the likeliest first), what else it may be
    (`alternatives`), what was thought of and ruled out, and what is abnormal without a cause."""

    causes: tuple[Hypothesis, ...] = ()
    alternatives: tuple[Hypothesis, ...] = ()
    ruled_out: tuple[Hypothesis, ...] = ()
    unexplained: tuple[Signal, ...] = ()
    abnormal: tuple[Signal, ...] = field(default=())

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The causes and then the alternatives."""
        return (*self.causes, *self.alternatives)


def rank(suspects: Iterable[Suspect], signals: Mapping[str, Signal]) -> Verdict:
    """Hold every suspect against the signals, by check id."""
    abnormal = {id_: one for id_, one in signals.items() if one.abnormal and not one.advisory}
    thinkable: list[Hypothesis] = []
    ruled_out: list[Hypothesis] = []
    for suspect in suspects:
        made = hypothesis(suspect, signals)
        if made is None:
            continue
        (ruled_out if any(one.decisive for one in made.against) else thinkable).append(made)
    causes, alternatives = _apart(sorted(thinkable, key=lambda one: _place(one, abnormal)))
    explained = {id_ for one in causes for id_ in one.explains}
    return Verdict(
        tuple(causes),
        tuple(alternatives),
        tuple(ruled_out),
        tuple(one for id_, one in abnormal.items() if id_ not in explained),
        tuple(abnormal.values()),
    )


def hypothesis(suspect: Suspect, signals: Mapping[str, Signal]) -> Hypothesis | None:
    """The suspect held against the signals; None where nothing decisive for it was seen."""
    symptoms = suspect.symptoms
    for_, missing, unasked = [], 0, set()
    decisive: set[str] = set()
    for symptom in symptoms.confirm:
        found = symptom.shown_by(signals)
        for_ += [_ground(symptom, one) for one in found]
        if symptom.decisive:
            decisive |= {one.check for one in found}
        elif not found:
            silent = _silent(symptom, signals)
            unasked |= silent
            missing += not silent
    if not decisive:
        return None
    against = [_ground(each, one) for each in symptoms.refute for one in each.in_(signals)]
    unasked |= {
        id_ for each in symptoms.refute if not each.in_(signals) for id_ in _silent(each, signals)
    }
    weight_for = sum(_DECISIVE if one.decisive else _FOR for one in _once(for_))
    weight_against = _AGAINST * len(against) + _MISSING * missing
    explains = {one.check for one in for_}
    explains |= {one.check for each in symptoms.neutral for one in each.in_(signals)}
    return Hypothesis(
        suspect,
        round(weight_for / (weight_for + weight_against), 2),
        tuple(_once(for_)),
        tuple(_once(against)),
        frozenset(decisive),
        frozenset(id_ for id_ in explains if signals[id_].abnormal),
        frozenset(unasked),
    )


def _ground(symptom: Symptom, signal: Signal) -> Ground:
    return Ground(signal.check, signal.status, symptom.says or signal.summary, symptom.decisive)


def _once(grounds: Sequence[Ground]) -> list[Ground]:
    """One ground for each check, the decisive one where it is told twice."""
    kept: dict[str, Ground] = {}
    for one in sorted(grounds, key=lambda ground: not ground.decisive):
        kept.setdefault(one.check, one)
    return list(kept.values())


def _silent(symptom: Symptom, signals: Mapping[str, Signal]) -> set[str]:
    """The checks of a symptom that gave no answer, and so neither show it nor lack it.

    What is not used here (SKIP) is not asked for: it will not answer the next time either.
    """
    named = [one for one in signals.values() if symptom.names(one.check)]
    if not named and "*" not in symptom.check:
        return {symptom.check}
    return {one.check for one in named if one.status is Status.UNKNOWN} or (
        {""} if named and all(one.status is Status.SKIP for one in named) else set()
    )


def _place(one: Hypothesis, abnormal: Mapping[str, Signal]) -> tuple[float | str, ...]:
    """Where it stands among the thinkable, the first is the likeliest."""
    covered = _covered(one.explains, abnormal)
    return (-covered, -one.confidence, -len(one.decisive), -one.suspect.narrow, one.scenario)


def _covered(checks: Iterable[str], abnormal: Mapping[str, Signal]) -> float:
    return sum(_HEAVY.get(abnormal[id_].status, 0.0) for id_ in checks if id_ in abnormal)


def _apart(thinkable: Sequence[Hypothesis]) -> tuple[list[Hypothesis], list[Hypothesis]]:
    """Which are incidents of their own, and which follow from another.

    One follows from another when all that it is known by follows from that one, and not the
    reverse; where each follows from the other, the one that fits better stands.
    """
    causes = [
        one
        for one in thinkable
        if not any(_follows(one, other) for other in thinkable if other is not one)
    ]
    waiting = [one for one in thinkable if one not in causes]
    while True:
        # What follows from something that is itself no cause has to be one, the likeliest first.
        left = [one for one in waiting if not any(_follows(one, cause) for cause in causes)]
        if not left:
            return causes, waiting
        causes.append(left[0])
        waiting.remove(left[0])


def _follows(one: Hypothesis, other: Hypothesis) -> bool:
    if not _known_by(one) <= other.explains:
        return False
    if not _known_by(other) <= one.explains:
        return True
    return (_fit(other), one.scenario) > (_fit(one), other.scenario)


def _known_by(one: Hypothesis) -> frozenset[str]:
    """The trouble that it is known by; a signal that is well follows from nothing."""
    return one.decisive & one.explains or one.decisive


def _fit(one: Hypothesis) -> tuple[float, ...]:
    return (one.confidence, len(one.decisive), one.suspect.narrow, len(one.explains))
