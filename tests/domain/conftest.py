"""A test's secrets are forgotten after it: they would be masked in the next one's texts."""

from __future__ import annotations

import pytest

from payops.domain import secret


@pytest.fixture(autouse=True)
def forgotten_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_known", set(secret._known))
    monkeypatch.setattr(secret, "_compiled", None)
