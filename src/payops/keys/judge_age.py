"""How old keys are: by what the journal recorded, and by the dates that the configuration gives.

Stripe tells no key's age, so that a rotation has to be recorded: `payops keys rotated NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.stripe_key import Role
from payops.keys.found import Found, Of
from payops.keys.trouble import ROLL, ROLL_WEBHOOK, Trouble, concluded, skipped

JOURNALED = "rotated"
"""The journal's word for an entry of `payops keys rotated`."""


@dataclass(frozen=True)
class Recorded:
    """A rotation in the journal: of which key of the configuration, its digest then, when."""

    name: str
    digest: str
    at: datetime


def recorded(entries: Iterable[Mapping[str, object]], environment: str) -> tuple[Recorded, ...]:
    """The rotations of an environment's keys among the journal's entries, oldest first. One
    operator's journal has those of production and staging, whose keys have the same names."""
    return tuple(
        Recorded(
            str(entry.get("name", "")),
            str(entry.get("digest", "")),
            datetime.fromisoformat(str(entry["at"])).astimezone(UTC),
        )
        for entry in entries
        if entry.get("kind") == JOURNALED and entry.get("environment") == environment
    )


def judge_age(
    found: Sequence[Found],
    past: Sequence[Recorded],
    dates: Mapping[str, date],
    max_age: timedelta,
    now: datetime,
    untold: str = "",
) -> CheckResult:
    """The rotation policy, key by key of payops' own configuration; a publishable key is no secret
    and does not age. `untold` is why the journal cannot be trusted."""
    ours = [
        one
        for one in found
        if one.place.of is Of.CONFIGURATION and one.role is not Role.PUBLISHABLE
    ]
    if not ours:
        return skipped("no key is configured", now)
    troubles: list[Trouble] = []
    told: list[str] = []
    unknown: list[Found] = []
    for one in ours:
        since, changed = _since(one, past, dates)
        if changed is not None:
            troubles.append(_unrecorded(one, changed))
        elif since is None:
            unknown.append(one)
        elif now - since > max_age:
            troubles.append(_too_old(one, now - since, max_age, since))
        else:
            told.append(f"{one.name} {_days(now - since)} old")
    if untold:
        troubles.append(Trouble(Status.UNKNOWN, untold, Action("Look at it", _VERIFY), "journal"))
    names = ", ".join(one.name for one in unknown)
    actions = tuple(
        Action(f"Record when {one.name} was rotated, when it is", f"payops keys rotated {one.name}")
        for one in unknown
    )
    if not troubles and not told:
        return skipped(f"the age of no key is known ({names})", now, *actions)
    fine = ", ".join(told) + (f"; of {names} it is not known" if unknown else "")
    return concluded(troubles, fine, now, source="journal", actions=actions)


_VERIFY = "payops journal verify"


def _since(
    one: Found, past: Sequence[Recorded], dates: Mapping[str, date]
) -> tuple[datetime | None, Recorded | None]:
    """Since when the key is in use, or the last record, when that is of another key.

    What the journal says of this very key comes first; a date of the configuration that is newer
    than the last record speaks for a key rotated since.
    """
    day = dates.get(one.name)
    given = datetime.combine(day, datetime.min.time(), UTC) if day is not None else None
    mine = [each for each in past if each.name == one.name]
    if not mine:
        return given, None
    last = mine[-1]
    if last.digest == one.form.digest:
        return max(last.at, given) if given else last.at, None
    if given is not None and given.date() >= last.at.date():
        return given, None
    return None, last


def _too_old(one: Found, age: timedelta, max_age: timedelta, since: datetime) -> Trouble:
    how = ROLL_WEBHOOK if one.role is Role.WEBHOOK else ROLL
    return Trouble(
        Status.WARN,
        f"{one.name} {one.form.described} is {_days(age)} old (since "
        f"{since:%Y-%m-%d}); keys.max_age is {_days(max_age)}",
        Action(f"{how}; then record it", f"payops keys rotated {one.name}"),
        "journal",
    )


def _unrecorded(one: Found, last: Recorded) -> Trouble:
    return Trouble(
        Status.WARN,
        f"{one.name} {one.form.described} was rotated after {last.at:%Y-%m-%d}, when the journal "
        f"last recorded it (sha256 {last.digest}): by whom and when is not known",
        Action("If you know of it, record it", f"payops keys rotated {one.name}"),
        "journal",
    )


def _days(age: timedelta) -> str:
    """Whole days: a date has no hours."""
    return f"{max(age.days, 0)} d"
