"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from payops.domain import secret

# How fast examples are made says something of the machine, and nothing of payops.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def forgotten_secrets() -> Iterator[None]:
    """A test's secrets are forgotten after it.

    They would be masked in the next one's texts, and a redactor that knows the passwords of
    thousands of tests takes seconds for what takes a run of payops a millisecond.
    """
    known, compiled = secret._known, secret._compiled
    secret._known = set(known)
    yield
    secret._known, secret._compiled = known, compiled


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: packed ones hold the second in which they were packed, and
    two workers that name a test differently end the whole run."""
    return argname if isinstance(val, (bytes, bytearray)) else None
