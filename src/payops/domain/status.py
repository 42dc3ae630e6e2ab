"""The five answers that a check can give, and which of several is worst."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Status(Enum):
    """OK, WARN, CRIT, UNKNOWN (could not be told) or SKIP (not configured, not used here)."""

    OK = "OK"
    WARN = "WARN"
    CRIT = "CRIT"
    UNKNOWN = "UNKNOWN"
    SKIP = "SKIP"

    @property
    def exit_code(self) -> int:
        """Exit status of a report: 0 OK or SKIP, 1 WARN, 2 CRIT, 3 UNKNOWN (nagios' numbers)."""
        return _EXIT_CODES[self]

    @property
    def rank(self) -> int:
        """Position in worst-of order, larger is worse: CRIT > UNKNOWN > WARN > OK > SKIP."""
        return _RANKS[self]


_EXIT_CODES = {
    Status.OK: 0,
    Status.WARN: 1,
    Status.CRIT: 2,
    Status.UNKNOWN: 3,
    Status.SKIP: 0,
}
_RANKS = {Status.SKIP: 0, Status.OK: 1, Status.WARN: 2, Status.UNKNOWN: 3, Status.CRIT: 4}


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of several. SKIP never counts; a selection in which nothing ran is UNKNOWN.

    >>> worst([Status.OK, Status.UNKNOWN, Status.WARN, Status.SKIP]).value
    'UNKNOWN'
    >>> worst([Status.SKIP]).value
    'UNKNOWN'
    """
    return max(
        (status for status in statuses if status is not Status.SKIP),
        key=lambda status: status.rank,
        default=Status.UNKNOWN,
    )
