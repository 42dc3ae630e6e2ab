"""Every limit that a command holds a value against can be moved, and nothing else is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks import check_ids, load_check
from payops.domain.discrepancy import MatchClass
from payops.domain.threshold import Limits
from payops.engine.reconcile_limits import CLASSES, EXTERNAL, PAYOUTS
from payops.engine.thresholds import ELSEWHERE, TABLES, checks_in_force, limits_in_force, verify
from payops.errors import ConfigError
from tools import settings


def everything() -> dict[str, Limits]:
    return {**{id_: load_check(id_).limits for id_ in check_ids()}, **ELSEWHERE}


def test_an_id_belongs_to_one_command() -> None:
    assert not set(check_ids()) & set(ELSEWHERE)
    assert len(ELSEWHERE) == sum(map(len, TABLES)), "one of two alike would win unseen"
    assert {id_.removeprefix("reconcile.") for id_ in CLASSES} == {e.value for e in MatchClass}


@pytest.mark.parametrize("id_", sorted(everything()))
def test_every_limit_of_every_command_can_be_moved(id_: str) -> None:
    given: dict[str, Any] = {name: {"warn": None, "crit": 7} for name in sorted(everything()[id_])}
    configured = settings(thresholds={id_: given})
    verify(configured)
    if id_ in ELSEWHERE:
        limits = limits_in_force(configured, ELSEWHERE)[id_]
    else:
        limits = checks_in_force([id_], configured)[0].limits
    moved = {name: (limit.warn, limit.crit) for name, limit in limits.items()}
    assert moved == dict.fromkeys(given, (None, 7))


def test_what_is_not_moved_stays() -> None:
    configured = settings(thresholds={"external.commission": {"unrounded": {"warn": 3}}})
    limits = limits_in_force(configured, EXTERNAL)
    assert limits["external.commission"]["unrounded"].warn == 3
    assert limits["external.commission"]["count"] == EXTERNAL["external.commission"]["count"]
    assert limits["external.totals"] == EXTERNAL["external.totals"]


@pytest.mark.parametrize(
    ("thresholds", "path", "hint"),
    [
        ({"payouts.sums": {}}, "payouts.sums", "'payouts.sum'"),
        ({"external.commision": {"count": {}}}, "external.commision", "'external.commission'"),
        ({"reconcile.stripe": {}}, "reconcile.stripe", "did you mean"),
        ({"xyz": {}}, "xyz", "payops health --list"),
    ],
)
def test_an_unknown_id_is_refused_by_every_command(
    thresholds: dict[str, Any], path: str, hint: str
) -> None:
    configured = settings(thresholds=thresholds)
    for ask in (
        lambda: verify(configured),
        lambda: checks_in_force(["stripe.api"], configured),
        *(lambda own=own: limits_in_force(configured, own) for own in (CLASSES, PAYOUTS, EXTERNAL)),
    ):
        with pytest.raises(ConfigError, match="there is no check") as raised:
            ask()
        assert raised.value.path == f"thresholds.{path}"
        assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("id_", "name", "known"),
    [
        ("payouts.ledger", "sum", "its limits: count"),
        ("external.totals", "count", "its limits: differing, orphans, broken, unknown"),
        ("reconcile.matched", "count", "its limits: none"),
        ("payments.stuck-pending", "rate", "its limits: "),
    ],
)
def test_an_unknown_name_is_refused(id_: str, name: str, known: str) -> None:
    configured = settings(thresholds={id_: {name: {"warn": 1}}})
    with pytest.raises(ConfigError, match=f"has no limit '{name}'") as raised:
        verify(configured)
    assert known in raised.value.hint
