"""What has changed since the run before: a run's results held against what is remembered.

A check that keeps changing is *flapping*: it changed at least 5 times within its last 20 runs
(Nagios' default, 20 % of 20), and stays so until 5 runs in a row agree. It is told once, not each
time; the exit status still tells the present.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise

from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.table import Column, Table

TABLE = "changes"
"""The id of the table of changes in a report."""

_RUNS = 20
_CHANGES = 5
_STEADY = 5
_WELL = frozenset({Status.OK, Status.SKIP})
FLAPPING = "FLAPPING"


class Kind(Enum):
    """What became of a check since the run before."""

    NEW = "new"
    WORSE = "worse"
    BETTER = "better"
    PERSISTING = "persisting"
    RESOLVED = "resolved"
    FLAPPING = "flapping"


@dataclass(frozen=True)
class Remembered:
    """What is known of one check from the runs before.

    `since` is the time of the run that first saw it ill (or well again), `seen` of the last one;
    both aware UTC. `recent` are the last statuses, the newest last. `told` is what was last told
    to people: a status, or FLAPPING.
    """

    status: Status
    since: datetime
    seen: datetime
    recent: tuple[Status, ...]
    flapping: bool = False
    told: str = Status.OK.value

    @property
    def word(self) -> str:
        """What there is to tell of it: a status (SKIP is OK), or FLAPPING."""
        return FLAPPING if self.flapping else _plain(self.status).value


@dataclass(frozen=True)
class Change:
    """What became of one check. `before` is its status in the run before, None when there was
    none; `since` when a run first saw the trouble, also of one that is resolved."""

    id: str
    kind: Kind
    status: Status
    before: Status | None
    since: datetime


def compare(
    before: Mapping[str, Remembered],
    results: Iterable[CheckResult],
    now: datetime,
    *,
    whole: bool = False,
) -> tuple[dict[str, Remembered], tuple[Change, ...]]:
    """What is to be remembered after a run at `now`, and what changed, in the order of the results.

    Checks that this run did not ask stay as they were; of a `whole` run there are none, and what it
    does not name any more is well. Of several results with one id the worst counts.
    """
    after = dict(before)
    changes: list[Change] = []
    found = _one_of_each(results)
    if whole:
        found |= {id_: Status.OK for id_ in before if id_ not in found}
    for id_, status in found.items():
        known = before.get(id_)
        after[id_] = _after(known, status, now)
        change = _change(id_, known, after[id_])
        if change is not None:
            changes.append(change)
    return after, tuple(changes)


def untold(
    remembered: Mapping[str, Remembered], results: Iterable[CheckResult], now: datetime
) -> dict[str, str]:
    """Those checks of the run at `now` of which people were last told something else, with the
    word that there is to tell. What is advisory is told to nobody."""
    advisory = {check.id for check in results if check.advisory}
    return {
        id_: known.word
        for id_, known in remembered.items()
        if known.seen == now and id_ not in advisory and known.word != known.told
    }


def changes_table(changes: Iterable[Change]) -> Table:
    """The changes as a table of a report."""
    columns = (
        Column("check", "Check", wide=True),
        Column("change", "Change"),
        Column("status", "Status"),
        Column("before", "Before"),
        Column("since", "Seen since"),
    )
    rows = tuple((one.id, one.kind.value, one.status, one.before, one.since) for one in changes)
    note = "" if rows else "nothing is wrong, and nothing was in the run before"
    return Table(TABLE, "Since the run before", columns, rows, note)


def _one_of_each(results: Iterable[CheckResult]) -> dict[str, Status]:
    found: dict[str, Status] = {}
    for result in results:
        known = found.get(result.id)
        if known is None or result.status.rank > known.rank:
            found[result.id] = result.status
    return found


def _after(before: Remembered | None, status: Status, now: datetime) -> Remembered:
    if before is None:
        return Remembered(status, now, now, (status,))
    recent = (*before.recent, status)[-_RUNS:]
    flapping = before.flapping or _turns(recent) >= _CHANGES
    if before.flapping and _turns(recent[-_STEADY:]) == 0 and len(recent) >= _STEADY:
        # Begun anew: the turns of before would at once make it flap again.
        recent, flapping = (status,), False
    same = (before.status in _WELL) == (status in _WELL)
    since = before.since if same else now
    return Remembered(status, since, now, recent, flapping, before.told)


def _turns(statuses: tuple[Status, ...]) -> int:
    plain = [_plain(status) for status in statuses]
    return sum(one is not other for one, other in pairwise(plain))


def _plain(status: Status) -> Status:
    """What is not used here is as well as what is well."""
    return Status.OK if status in _WELL else status


def _change(id_: str, before: Remembered | None, now: Remembered) -> Change | None:
    was = before.status if before else None
    if now.flapping:
        return Change(id_, Kind.FLAPPING, now.status, was, now.since)
    if now.status in _WELL:
        if before is None or (before.status in _WELL and not before.flapping):
            return None
        return Change(id_, Kind.RESOLVED, now.status, was, before.since)
    if before is None or before.status in _WELL:
        return Change(id_, Kind.NEW, now.status, was, now.since)
    by = now.status.rank - before.status.rank
    kind = Kind.WORSE if by > 0 else Kind.BETTER if by < 0 else Kind.PERSISTING
    return Change(id_, kind, now.status, was, now.since)
