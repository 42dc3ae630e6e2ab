"""`external.configuration`: what makes no sense in how owners are paid."""

from __future__ import annotations

from typing import Any

import pytest

from payops.checks.external.configuration import CHECK, Facts
from payops.domain.external import OwnerPaid
from tools import NOW, assert_is, assert_ok, assert_warn, judged


def owner(id_: str = "1", mode: str | None = "hybrid", **more: Any) -> OwnerPaid:
    given: dict[str, Any] = {
        "config_mode": mode,
        "has_config": True,
        "primary": "square",
        "connected": 1,
        "primary_connected": True,
        "min_external": None,
        "max_platform": None,
        "minimum_collection": "10",
        "maximum_outstanding": "1000",
    }
    return OwnerPaid(owner=id_, mode=mode, **{**given, **more})


def facts(*owners: OwnerPaid, **more: Any) -> Facts:
    outside, only = frozenset({"hybrid", "decentralized"}), frozenset({"decentralized"})
    return Facts(NOW, owners, outside, only, **more)


@pytest.mark.parametrize(
    ("one", "status", "words"),
    [
        (owner(), "OK", "makes sense"),
        (owner(has_config=False, config_mode=None), "WARN", "without a configuration"),
        (owner(mode="centralized", has_config=False, config_mode=None), "OK", ""),
        (owner(config_mode="centralized"), "WARN", "two modes that differ"),
        (owner(mode=None, config_mode="hybrid"), "OK", ""),
        (owner(mode="decentralized", connected=0), "WARN", "whom nobody can pay"),
        (owner(mode="decentralized", connected=1), "OK", ""),
        (owner(mode="decentralized", connected=None), "OK", ""),
        (owner(connected=0), "OK", ""),
        (owner(minimum_collection="1000"), "OK", ""),
        (owner(minimum_collection="1000.01"), "WARN", "never due"),
        (owner(min_external="1000"), "OK", ""),
        (owner(min_external="1000.01"), "WARN", "too large a least external amount"),
        (owner(min_external="0"), "OK", ""),
        (owner(max_platform="10"), "OK", ""),
        (owner(max_platform="9.99"), "WARN", "too small a largest platform amount"),
        (owner(max_platform="0"), "OK", ""),
        (owner(max_platform="NaN", min_external="much"), "OK", ""),
    ],
)
def test_each(one: OwnerPaid, status: str, words: str) -> None:
    result = judged(CHECK, facts(one))
    assert_is(status, result, words)
    assert (result.actions == ()) is (status == "OK")


def test_all_that_is_odd_is_told_of_each() -> None:
    one = owner(mode="decentralized", config_mode="hybrid", connected=0)
    missing = owner("2", has_config=False, config_mode=None)
    result = judged(CHECK, facts(owner("3"), one, missing, remedy="default-config"))
    assert_warn(result, "1 with two modes that differ", "1 whom nobody can pay", "of 3 owners")
    assert [each.what.partition(":")[0] for each in result.evidence] == ["owner 1"] * 2 + [
        "owner 2"
    ]
    assert "payops remedy plan default-config" in result.actions[0].command


def test_without_a_table_of_configurations_none_is_missed() -> None:
    assert_ok(judged(CHECK, facts(owner(has_config=False, config_mode=None), has_configs=False)))


def test_limits_can_be_moved() -> None:
    assert_ok(judged(CHECK, facts(owner(min_external="2000")), min_external={"warn": 2000}))
