"""The clock of a run, held against the MTTR target and whom the configuration says to call."""

from __future__ import annotations

from collections.abc import Sequence

from payops.config.settings import EscalationLevel
from payops.domain.duration import human_duration


def clock(elapsed_s: float, mttr_s: float | None, levels: Sequence[EscalationLevel]) -> str:
    """One line: how long it has taken, of how much, and who is called next.

    >>> clock(240, 1200, ())
    '4 min of 20 min'
    """
    told = human_duration(elapsed_s)
    if mttr_s is not None:
        told += f" of {human_duration(mttr_s)}"
        if elapsed_s > mttr_s:
            told += f": {human_duration(elapsed_s - mttr_s)} over"
    following = upcoming(elapsed_s, levels)
    if following is not None:
        left = float(following.after) - elapsed_s
        return f"{told}, {named(following)} in {human_duration(left)}"
    if levels:
        last = _ordered(levels)[-1]
        return f"{told}, {named(last)} since {human_duration(elapsed_s - float(last.after))}"
    return told


def upcoming(elapsed_s: float, levels: Sequence[EscalationLevel]) -> EscalationLevel | None:
    """The next level whose time has not come; None when all have."""
    return next((each for each in _ordered(levels) if float(each.after) > elapsed_s), None)


def whom_to_call(elapsed_s: float, levels: Sequence[EscalationLevel]) -> str:
    """Whom a step that escalates names: the level above the one that is at work, else the last."""
    if not levels:
        return "the configuration names nobody to call (escalation:)"
    level = upcoming(elapsed_s, levels) or _ordered(levels)[-1]
    return f"call {named(level)}"


def named(level: EscalationLevel) -> str:
    """A level and its contact."""
    return f"{level.level} {level.contact}"


def _ordered(levels: Sequence[EscalationLevel]) -> list[EscalationLevel]:
    return sorted(levels, key=lambda each: float(each.after))
