"""What would tell two likely causes apart: checks that speak for one alone and gave no answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from payops.diagnosis.rank import Hypothesis, Verdict
from payops.domain.symptom import Signal, Symptom

CLOSE = 0.15
"""Two alternatives whose confidence differs by less are as good as each other."""
SURE = 0.85
"""A cause that is as sure as this needs no telling from a lesser one."""
_MOST = 6
_TELL_WHAT_THEY_FIND = frozenset({"webhooks", "reconcile", "circuit", "keys", "external"})


@dataclass(frozen=True)
class Apart:
    """A check that was not answered and would tell `one` from `other`: it would speak for (or
    against) `one` alone."""

    one: str
    other: str
    check: str
    against: bool = False


def apart(verdict: Verdict, signals: Mapping[str, Signal]) -> tuple[Apart, ...]:
    """What would tell each cause from its best alternative, and two close alternatives from each
    other; each check once. Nothing where they are far apart."""
    found: dict[str, Apart] = {}
    for first, second in _pairs(verdict):
        for one, other in ((first, second), (second, first)):
            for check, against in _speaks(one):
                if not _names(other, check) and not _told(check, signals):
                    found.setdefault(check, Apart(one.scenario, other.scenario, check, against))
    return tuple(found.values())[:_MOST]


def _pairs(verdict: Verdict) -> Iterator[tuple[Hypothesis, Hypothesis]]:
    alternatives = verdict.alternatives
    for cause in verdict.causes:
        rival = next((one for one in alternatives if one.decisive & cause.explains), None)
        if rival is not None and (
            cause.confidence < SURE or rival.confidence > cause.confidence - CLOSE
        ):
            yield cause, rival
    for one, other in combinations(alternatives[:3], 2):
        if abs(one.confidence - other.confidence) < CLOSE and one.explains & other.explains:
            yield one, other


def _told(check: str, signals: Mapping[str, Signal]) -> bool:
    """Whether the silence of a check is an answer: these parts tell of what they find alone."""
    family = check.partition(".")[0]
    return (
        check not in signals
        and family in _TELL_WHAT_THEY_FIND
        and any(id_.startswith(f"{family}.") and one.answered for id_, one in signals.items())
    )


def _speaks(one: Hypothesis) -> Iterator[tuple[str, bool]]:
    """The unanswered checks of a hypothesis that have a name, and whether they are against it."""
    refuted = one.suspect.symptoms.refute
    for check in sorted(one.unasked - {""}):
        if "*" not in check:
            yield check, any(symptom.names(check) for symptom in refuted)


def _names(one: Hypothesis, check: str) -> bool:
    symptoms = one.suspect.symptoms
    return _any(symptoms.confirm, check) or _any(symptoms.refute, check)


def _any(symptoms: Iterable[Symptom], check: str) -> bool:
    return any(symptom.names(check) for symptom in symptoms)
