"""`external.failed-collections`: more than five in seven days."""

from __future__ import annotations

import pytest

from outside import owed, owed_row
from payops.checks.external.failed_collections import CHECK, Facts
from payops.errors import NotConfiguredError
from tools import NOW, assert_is, assert_money, assert_ok, fake_context, judged, settings


@pytest.mark.parametrize(("count", "status"), [(1, "OK"), (5, "OK"), (6, "WARN"), (600, "WARN")])
def test_count(count: int, status: str) -> None:
    result = judged(CHECK, Facts(NOW, (owed(count),), (owed_row(),)))
    assert_is(status, result, "first by account closed")
    assert_money(result, f"{count * 5:,}.00 USD ({count:,})")
    assert (result.actions == ()) is (status == "OK")


def test_none_is_ok() -> None:
    assert_ok(judged(CHECK, Facts(NOW, (), ())), "no collection failed in 7 days")


def test_a_reason_is_one_line() -> None:
    rows = (owed_row(reason="bank\nsaid  no"), owed_row("8", reason=None))
    result = judged(CHECK, Facts(NOW, (owed(2),), rows))
    assert "bank said no" in result.evidence[0].what
    assert "no reason recorded" in result.evidence[1].what


def test_not_used_here() -> None:
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings(external={})))
