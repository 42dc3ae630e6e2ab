"""A run that may take so many requests, takes no more; and says so."""

from __future__ import annotations

import pytest

from payops.errors import Failure, SourceError
from payops.sources.allowance import Allowance


def test_requests_are_spent() -> None:
    allowance = Allowance(2, 5)
    allowance.spend("/v1/account")
    allowance.spend("/v1/account")
    with pytest.raises(SourceError) as caught:
        allowance.spend("/v1/events")
    assert caught.value.kind is Failure.TOO_MUCH
    assert not caught.value.does_not_answer
    assert "the 2 requests" in str(caught.value)


def test_second_tries_are_few() -> None:
    allowance = Allowance(30, 2)
    assert [allowance.again() for _ in range(4)] == [True, True, False, False]
