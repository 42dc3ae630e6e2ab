"""The same key where it must not be, another key where it should be the same, one that is missing.

Pure: places are compared by the keys' digests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.stripe_key import Kind, Role
from payops.keys.found import Found, Place, Reading
from payops.keys.trouble import ROLL, Trouble, concluded


def judge_places(readings: Sequence[Reading], now: datetime) -> CheckResult:
    """What several places say of the same keys."""
    found = [one for reading in readings for one in reading.found if one.form.digest]
    troubles = [
        *_shared(found),
        *_different(found),
        *_missing(readings),
        *(
            Trouble(
                Status.UNKNOWN,
                reading.unread,
                Action("Give the right file, or the rights to read it: --from [NAME=]FILE"),
            )
            for reading in readings
            if reading.unread
        ),
    ]
    notes = [f"{reading.place.title}: {note}" for reading in readings for note in reading.notes]
    places = list(dict.fromkeys(one.place.title for one in found))
    fine = f"keys in {len(places)} place{'' if len(places) == 1 else 's'}"
    fine += f" ({', '.join(places)})" if places else ""
    if len(places) > 1:
        fine += ": no key is in two environments, and none differs where it should be the same"
    else:
        fine += ": none to compare with"
    given = any(reading.place.deployed for reading in readings)
    actions = (
        ()
        if given
        else (
            Action(
                "Compare with what the application is started with: its .env, Kubernetes Secret or "
                "compose file",
                "payops keys check --from staging=FILE",
            ),
        )
    )
    return concluded(troubles, fine, now, notes=notes, actions=actions)


def _shared(found: Sequence[Found]) -> Iterator[Trouble]:
    """One key in two environments: who may see one takes money, or forges events, in the other."""
    by_key: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        if one.fits:
            by_key[one.form.digest].append(one)
    for several in by_key.values():
        environments = {one.place.environment.lower(): one for one in several}
        if len(environments) < 2:
            continue
        first = several[0]
        where = ", ".join(f"{one.place.environment} ({one.where})" for one in environments.values())
        public = first.form.kind is Kind.PUBLISHABLE
        yield Trouble(
            Status.WARN if public else Status.CRIT,
            f"the same {first.role.title} {first.form.described} is in two environments: {where}",
            Action(
                "Give each environment the keys of its own account or sandbox"
                + ("" if public else f", and roll this one. {ROLL}")
            ),
        )


def _different(found: Sequence[Found]) -> Iterator[Trouble]:
    """Another key of the same kind in two places of one environment."""
    by_place: dict[tuple[str, Kind], dict[str, list[Found]]] = defaultdict(dict)
    for one in found:
        if one.fits:
            group = by_place[one.place.environment.lower(), one.form.kind]
            group.setdefault(one.place.title, []).append(one)
    for (_, kind), places in by_place.items():
        (first, *others) = places.values()
        for other in others:
            if {one.form.digest for one in first} & {one.form.digest for one in other}:
                continue
            one, two = first[0], other[0]
            what = "webhook secrets" if kind is Kind.WEBHOOK else f"{kind.value} keys"
            yield Trouble(
                Status.WARN,
                f"different {what} for {one.place.environment}: {one.where} is "
                f"{one.form.described}, {two.where} is {two.form.described}",
                Action(
                    "Find out which one is current (keys.secret says which are valid), and put it "
                    "in both places",
                ),
            )


def _missing(readings: Sequence[Reading]) -> Iterator[Trouble]:
    """A key that one deployment has, and another that needs it too has not.

    A place with a publishable key alone is a browser's: it may have no other.
    """
    roles: dict[Place, set[Role]] = defaultdict(set)
    for reading in readings:
        for one in reading.found:
            if one.place.deployed:
                roles[one.place].add(one.role)
    servers = {place: had for place, had in roles.items() if had != {Role.PUBLISHABLE}}
    needed = (Role.SECRET, Role.WEBHOOK)
    for role in needed:
        having = [place for place, had in servers.items() if role in had]
        for place, had in servers.items():
            if having and role not in had and not _beside(place, role, servers):
                yield Trouble(
                    Status.WARN,
                    f"{place.title} ({place.environment}) has no {role.title}, and "
                    f"{having[0].title} ({having[0].environment}) has one",
                    Action(f"Add it to {place.title}, if what it starts needs it"),
                )


def _beside(place: Place, role: Role, servers: dict[Place, set[Role]]) -> bool:
    """Whether another file of the same environment has it: two files may make one deployment."""
    return any(
        other.environment.lower() == place.environment.lower() and role in had
        for other, had in servers.items()
    )
