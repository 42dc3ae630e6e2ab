"""Every check, found by its place: `checks/FAMILY/NAME.py` with a `CHECK` is `family.name`."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from payops.checks.contract import Check, NamedCheck
from payops.checks.limit import ordered, read_number
from payops.domain.threshold import Limits, Threshold
from payops.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from payops.config.settings import Settings, ThresholdOverride

# The order of a report: the outside first, then what depends on it.
FAMILIES = (
    "stripe",
    "postgres",
    "redis",
    "queue",
    "app",
    "circuit",
    "payments",
    "external",
    "webhooks",
    "keys",
)
# What the rest of a family depends on stands before it: where it fails, it is where to begin.
_FIRST = ("api", "connect")


def check_ids(package: str = __name__) -> tuple[str, ...]:
    """The ids of all checks, in the order of a report, without importing one.

    Raises RuntimeError when two files claim the same id.
    """
    found: dict[str, str] = {}
    for id_, module in _places(package):
        if id_ in found:
            raise RuntimeError(f"check id {id_!r} is claimed by {found[id_]} and {module}")
        found[id_] = module
    return tuple(sorted(found, key=_place))


def _place(id_: str) -> tuple[int, bool, str]:
    family, _, name = id_.partition(".")
    known = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    return known, name not in _FIRST, id_


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


def ids_in(settings: Settings) -> tuple[str, ...]:
    """The ids of all checks, with those of the configuration's own (`checks:`) behind them."""
    from payops.checks.own import own_ids

    return (*check_ids(), *own_ids(settings))


def load_check(id_: str) -> Check[object]:
    """The check with this id. Imports its file, and no other's."""
    module = importlib.import_module(f"{__name__}.{id_.replace('-', '_')}")
    check: Check[object] = module.CHECK
    return check


def select(
    only: Iterable[str], skip: Iterable[str], known: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """The ids that match `only` (globs; all when empty) and do not match `skip`, of those that are
    `known` (payops' own, where it is None).

    A family's name alone stands for all of it. A glob that matches nothing is a UsageError that
    names the nearest check: a check left out by a misspelling must not look like a good answer.
    """
    known = check_ids() if known is None else known
    chosen = _matching(only, known) or (() if list(only) else known)
    left_out = _matching(skip, known)
    return tuple(id_ for id_ in known if id_ in chosen and id_ not in left_out)


def without_deep(ids: Iterable[str], only: Iterable[str] = ()) -> tuple[str, ...]:
    """`ids` without the deep checks; one whose very id stands in `only` is asked for."""
    asked_for = {part.strip() for given in only for part in given.split(",")}
    return tuple(id_ for id_ in ids if id_ in asked_for or _is_own(id_) or not load_check(id_).deep)


def _matching(globs: Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    matched: list[str] = []
    for glob in (part.strip() for given in globs for part in given.split(",")):
        hits = [id_ for id_ in known if fnmatchcase(id_, glob) or id_.partition(".")[0] == glob]
        if not hits:
            word = glob.removesuffix(".*")
            families = [] if "." in word else [id_.partition(".")[0] for id_ in known]
            close = difflib.get_close_matches(word, [*families, *known], n=1, cutoff=0.4)
            hint = f"did you mean {close[0]!r}?" if close else "see `payops health --list`"
            if glob.partition(".")[0] == "own" and not any(map(_is_own, known)):
                hint = "the configuration has no checks of its own (checks:)"
            raise UsageError(f"no check matches {glob!r}", hint=hint)
        matched += hits
    return tuple(matched)


def _is_own(id_: str) -> bool:
    return id_.startswith("own.")


def named(
    ids: Iterable[str], settings: Settings, *, elsewhere: Iterable[str] = ()
) -> tuple[NamedCheck, ...]:
    """The checks with these ids, under the limits of the configuration. Raises ConfigError.

    `elsewhere` are ids of what other commands judge and the configuration may have limits for.
    """
    overrides = settings.thresholds
    refuse_unknown(overrides, [*ids_in(settings), *elsewhere])
    checks = []
    for id_ in ids:
        check = _own(id_, settings) if _is_own(id_) else load_check(id_)
        checks.append(NamedCheck(id_, check, limits_in_force(id_, check, overrides.get(id_, {}))))
    return tuple(checks)


def _own(id_: str, settings: Settings) -> Check[object]:
    from payops.checks.own import own_check

    found: Check[Any] = own_check(id_, settings)
    return found


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
            warn = read_number(override.warn, limit.unit, f"{path}.warn")
        if override.crit is not UNSET:
            crit = read_number(override.crit, limit.unit, f"{path}.crit")
        limits[name] = ordered(replace(limit, warn=warn, crit=crit, source="configuration"), path)
    return limits
