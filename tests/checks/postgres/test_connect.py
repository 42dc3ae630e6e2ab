"""Does Postgres answer, as what, and how fast?"""

from __future__ import annotations

from typing import Any

import pytest

from checks.postgres.conftest import Ask
from payops.checks.postgres.connect import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from tools import NOW, Raises, assert_is, assert_ok, fake_context, gathered, judged


def facts(latency: float = 3.2, *, replica: bool = False) -> Facts:
    return Facts(NOW, "16.4", replica, latency)


@pytest.mark.parametrize(
    ("latency", "overrides", "status"),
    [
        (0.4, {}, "OK"),
        (1000, {}, "OK"),
        (1000.1, {}, "WARN"),
        (60_000, {}, "WARN"),
        (300, {"latency": {"warn": "100ms", "crit": "200ms"}}, "CRIT"),
        (9e9, {"latency": {"warn": None}}, "OK"),
    ],
)
def test_latency(latency: float, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, facts(latency), **overrides)
    assert_is(status, result, "PostgreSQL 16.4, primary, answers in")
    assert bool(result.actions) == (status != "OK")


def test_a_replica_says_so() -> None:
    assert_ok(judged(CHECK, facts(replica=True)), "a read-only replica")


def test_gather(ctx: Ask) -> None:
    result = judged(CHECK, gathered(CHECK, ctx()))
    assert_ok(result, "PostgreSQL 1", "primary")
    with pytest.raises(NotConfiguredError):
        gathered(CHECK, fake_context())
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(postgres=Raises(Failure.AUTHENTICATION)))
