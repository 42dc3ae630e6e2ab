"""A fake of the database, as far as the checks of payments ask it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from payops.domain.window import Window
from payops.sources.ledger import OpenPayments, Outcome, Outcomes


@dataclass
class FakePostgres:
    """Answers by `now`, its own clock, and keeps what it was asked."""

    now: datetime
    rows: Sequence[Outcome] = ()
    open: OpenPayments | None = None
    window: Window | None = None
    asked: dict[str, Any] | None = None

    def server(self) -> Any:
        return SimpleNamespace(now=self.now)

    def ledger(self, ledger: object) -> FakePostgres:
        return self

    def outcomes(self, window: Window) -> Outcomes:
        self.window = window
        return Outcomes(tuple(self.rows), self.now)

    def open_payments(self, **asked: Any) -> OpenPayments:
        self.asked = asked
        return self.open or OpenPayments(0, None, (), 0, None, (), self.now)


@pytest.fixture
def postgres() -> Callable[..., FakePostgres]:
    """Makes a fake: `postgres(now, rows)`."""
    return FakePostgres
