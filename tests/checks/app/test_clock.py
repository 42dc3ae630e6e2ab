"""Is the application's clock right?"""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from payops.checks.app.clock import CHECK, Facts
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.http import HttpAnswer
from tools import NOW, assert_crit, assert_is, fake_context, gathered, judged, settings

CONFIGURED = settings(
    app={"base_url": "https://shop.example", "endpoints": [{"url": "/a"}, {"url": "/b"}]}
)


@pytest.mark.parametrize(
    ("skew_s", "status", "word"),
    [
        (0.5, "OK", "within a second of ours"),
        (-30, "OK", "behind ours"),
        (30.1, "WARN", "ahead of ours"),
        (300, "WARN", "ahead of ours"),
        (-300.1, "CRIT", "it refuses every signature"),
    ],
)
def test_around_each_limit(skew_s: float, status: str, word: str) -> None:
    assert_is(status, judged(CHECK, Facts(NOW, "health", skew_s)), word)


def http(dates: dict[str, float | None]) -> Any:
    """Answers by path; the clock of each is so many seconds ahead, None tells no time."""

    def request(method: str, url: str, **_: Any) -> HttpAnswer:
        path = url.removeprefix("https://shop.example")
        if path not in dates:
            raise SourceError("http", Failure.REFUSED, "no")
        ahead = dates[path]
        date = format_datetime(NOW + timedelta(seconds=ahead), usegmt=True) if ahead else ""
        return HttpAnswer(url, 200, {"date": date}, b"", False, 20, NOW, "")

    return SimpleNamespace(request=request)


def test_gather_takes_the_one_that_is_furthest_off() -> None:
    found = gathered(CHECK, fake_context(CONFIGURED, http=http({"/a": 10.0, "/b": -900.0})))
    assert (found.name, round(found.skew_s)) == ("/b", -899)
    assert_crit(judged(CHECK, found), "behind ours")


@pytest.mark.parametrize("dates", [{"/a": None}, {}])
def test_none_that_tells_its_time(dates: dict[str, float | None]) -> None:
    with pytest.raises(NotConfiguredError, match="Date"):
        gathered(CHECK, fake_context(CONFIGURED, http=http(dates)))
