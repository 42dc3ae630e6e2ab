"""Every check, found by its place: `checks/FAMILY/NAME.py` with a `CHECK` is `family.name`."""

from __future__ import annotations

import difflib
import importlib
import math
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from payops.checks.contract import Check, NamedCheck
from payops.domain.duration import parse_duration
from payops.domain.threshold import Limits, Number, Threshold
from payops.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from payops.config.settings import Settings, ThresholdOverride

# The order of a report: the outside first, then what depends on it.
FAMILIES = ("stripe", "postgres", "redis", "app", "circuit", "payments", "webhooks", "keys")


def check_ids(package: str = __name__) -> tuple[str, ...]:
    """The ids of all checks, in the order of a report, without importing one.

    Raises RuntimeError when two files claim the same id.
    """
    found: dict[str, str] = {}
    for id_, module in _places(package):
        if id_ in found:
            raise RuntimeError(f"check id {id_!r} is claimed by {found[id_]} and {module}")
        found[id_] = module
    order = {family: index for index, family in enumerate(FAMILIES)}
    return tuple(sorted(found, key=lambda id_: (order.get(id_.partition(".")[0], 99), id_)))


def _places(package: str) -> Iterator[tuple[str, str]]:
    root = importlib.import_module(package)
    for family in pkgutil.iter_modules(root.__path__):
        if not family.ispkg:
            continue
        for path in root.__path__:  # one at a time: of two alike, iter_modules tells the first
            folder = f"{path}/{family.name}"
            for entry in pkgutil.iter_modules([folder]):
                if not entry.name.startswith("_"):
                    yield f"{family.name}.{entry.name}".replace("_", "-"), f"{folder}/{entry.name}"


def load_check(id_: str) -> Check[object]:
    """The check with this id. Imports its file, and no other's."""
    module = importlib.import_module(f"{__name__}.{id_.replace('-', '_')}")
    check: Check[object] = module.CHECK
    return check


def select(only: Iterable[str], skip: Iterable[str]) -> tuple[str, ...]:
    """The ids that match `only` (globs; all when empty) and do not match `skip`.

    A family's name alone stands for all of it. A glob that matches nothing is a UsageError that
    names the nearest check: a check left out by a misspelling must not look like a good answer.
    """
    known = check_ids()
    chosen = _matching(only, known) or (() if list(only) else known)
    left_out = _matching(skip, known)
    return tuple(id_ for id_ in known if id_ in chosen and id_ not in left_out)


def _matching(globs: Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    matched: list[str] = []
    for glob in (part.strip() for given in globs for part in given.split(",")):
        hits = [id_ for id_ in known if fnmatchcase(id_, glob) or id_.partition(".")[0] == glob]
        if not hits:
            word = glob.removesuffix(".*")
            families = [] if "." in word else [id_.partition(".")[0] for id_ in known]
            close = difflib.get_close_matches(word, [*families, *known], n=1, cutoff=0.4)
            raise UsageError(
                f"no check matches {glob!r}",
                hint=f"did you mean {close[0]!r}?" if close else "see `payops health --list`",
            )
        matched += hits
    return tuple(matched)


def named(
    ids: Iterable[str], settings: Settings, *, elsewhere: Iterable[str] = ()
) -> tuple[NamedCheck, ...]:
    """The checks with these ids, under the limits of the configuration. Raises ConfigError.

    `elsewhere` are ids of what other commands judge and the configuration may have limits for.
    """
    overrides = settings.thresholds
    refuse_unknown(overrides, [*check_ids(), *elsewhere])
    checks = []
    for id_ in ids:
        check = load_check(id_)
        checks.append(NamedCheck(id_, check, limits_in_force(id_, check, overrides.get(id_, {}))))
    return tuple(checks)


def refuse_unknown(overrides: Iterable[str], known: Collection[str]) -> None:
    """Raises ConfigError for the first threshold of an id that is not known, with the nearest."""
    for id_ in overrides:
        if id_ not in known:
            close = difflib.get_close_matches(id_, known, n=1, cutoff=0.4)
            raise ConfigError(
                f"there is no check {id_!r}",
                path=f"thresholds.{id_}",
                hint=f"did you mean {close[0]!r}?" if close else "see `payops health --list`",
            )


def limits_in_force(
    id_: str, check: Check[object], overrides: Mapping[str, ThresholdOverride]
) -> Limits:
    """The limits of a check with the configuration's put in. Raises ConfigError."""
    return overridden(id_, check.limits, overrides)


def overridden(id_: str, own: Limits, overrides: Mapping[str, ThresholdOverride]) -> Limits:
    """`own` limits of what is judged under this id, with the configuration's put in.

    Raises ConfigError.
    """
    from msgspec import UNSET

    limits: dict[str, Threshold] = dict(own)
    for name, override in overrides.items():
        path = f"thresholds.{id_}.{name}"
        if name not in limits:
            known = ", ".join(limits) or "none"
            raise ConfigError(
                f"{id_} has no limit {name!r}", path=path, hint=f"its limits: {known}"
            )
        limit = limits[name]
        warn, crit = limit.warn, limit.crit
        if override.warn is not UNSET:
            warn = _number(override.warn, limit.unit, f"{path}.warn")
        if override.crit is not UNSET:
            crit = _number(override.crit, limit.unit, f"{path}.crit")
        if (
            warn is not None
            and crit is not None
            and (warn > crit if limit.worse == "higher" else warn < crit)
        ):
            raise ConfigError(
                f"warn {warn:g} lies beyond crit {crit:g}",
                path=path,
                hint=f"{limit.worse} is worse: WARN must come before CRIT",
            )
        limits[name] = replace(limit, warn=warn, crit=crit, source="configuration")
    return limits


def _number(value: object, unit: str, path: str) -> Number | None:
    """A limit as a number in its unit; `30m` and `95%` are read. None switches it off."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = str(value).strip()
    try:
        if unit == "s":
            number = parse_duration(text).total_seconds()
        elif unit == "ms" and not text.replace(".", "", 1).isdigit():
            number = parse_duration(text).total_seconds() * 1000
        else:
            number = float(text.removesuffix("%") if unit == "%" else text)
        if not math.isfinite(number):
            raise ValueError
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a number of {unit}", path=path) from error
    return number
