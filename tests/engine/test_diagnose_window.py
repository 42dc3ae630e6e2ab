"""How far back a diagnosis reads Stripe's lists: by how many payments there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from payops.config.settings import Settings
from payops.domain.window import Window
from payops.engine.diagnose import fitting
from payops.errors import Failure, SourceError
from payops.sources import Sources

UNTIL = datetime(2026, 11, 21, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = Window(UNTIL - HOUR, UNTIL)
WIDER = (24 * HOUR, 6 * HOUR)


@dataclass
class Row:
    count: int


class FakeLedger:
    """So many payments an hour."""

    def __init__(self, count: Callable[[Window], int]) -> None:
        self._count = count

    def outcomes(self, window: Window) -> Any:
        return SimpleNamespace(rows=(Row(self._count(window)),))


def span(count: Callable[[Window], int], wider: tuple[timedelta, ...] = WIDER) -> timedelta:
    ledger = FakeLedger(count)
    sources = SimpleNamespace(postgres=SimpleNamespace(ledger=lambda _: ledger))
    settings = SimpleNamespace(payments=object())
    found = fitting(cast(Settings, settings), cast(Sources, sources), ASKED, wider, 300)
    assert found.until == UNTIL
    return found.length


def an_hour(rate: float) -> Callable[[Window], int]:
    return lambda window: round(rate * (window.length / HOUR))


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0, 24 * HOUR),
        (12.5, 24 * HOUR),  # 300 in a day, exactly
        (12.6, 6 * HOUR),
        (50, 6 * HOUR),
        (51, HOUR),
        (300, HOUR),
        (600, HOUR / 2),
        (3600, HOUR / 12),
        (1_000_000, timedelta(minutes=1)),  # never less
    ],
)
def test_by_how_busy_it_is(rate: float, expected: timedelta) -> None:
    assert span(an_hour(rate)) == expected


def test_only_as_much_as_was_asked_for() -> None:
    assert span(an_hour(1), wider=()) == HOUR


def test_a_ledger_that_cannot_tell() -> None:
    def silent(window: Window) -> int:
        raise SourceError("postgres", Failure.REFUSED, "no")

    assert span(silent) == HOUR
