"""Does the application answer at its own addresses?"""

from __future__ import annotations

import time
from typing import Any

import pytest

from payops.checks.app.health import CHECK, Facts, Seen
from payops.domain.secret import Secret
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.http import HttpAnswer
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
    settings,
)

LIVE = "https://shop.example/health"
PAY = "https://pay.example/ready"


def seen(status: int = 200, latency_ms: float = 40, **more: Any) -> Seen:
    given = {"name": "shop", "url": LIVE, "expect": (200,), **more}
    return Seen(status=status, latency_ms=latency_ms, **given)


@pytest.mark.parametrize(
    ("latency_ms", "overrides", "status"),
    [
        (0, {}, "OK"),
        (1999.9, {}, "OK"),
        (2000, {}, "OK"),
        (2000.1, {}, "WARN"),
        (5000, {}, "WARN"),
        (5000.1, {}, "CRIT"),
        (2500, {"latency": {"warn": "3s"}}, "OK"),
        (3001, {"latency": {"warn": "3s"}}, "WARN"),
        (900, {"latency": {"warn": 100, "crit": "800ms"}}, "CRIT"),
        (60000, {"latency": {"crit": None}}, "WARN"),
        (60000, {"latency": {"warn": None, "crit": None}}, "OK"),
    ],
)
def test_around_each_limit(latency_ms: float, overrides: dict[str, Any], status: str) -> None:
    result = judged(CHECK, Facts(NOW, (seen(200, latency_ms),)), **overrides)
    assert_is(status, result, "shop answers 200 in")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (seen(500, body="boom"), ["shop answers 500 instead of 200"]),
        (seen(404, expect=(200, 204)), ["answers 404 instead of 200 or 204"]),
        (
            seen(302, location="https://shop.example/login"),
            ["answers 302 to https://shop.example/login instead of 200"],
        ),
        (
            seen(failure=SourceError("http", Failure.REFUSED, "x")),
            ["shop does not answer: connection refused"],
        ),
    ],
)
def test_what_is_no_good_answer(one: Seen, words: list[str]) -> None:
    result = judged(CHECK, Facts(NOW, (one, seen(name="pay"))))
    assert_crit(result, *words)
    assert "pay" not in result.summary, "what is well does not drown what is not"
    assert result.measured["failing"] == 1
    assert result.actions[0].command == f"curl -sS -i {LIVE}"


def test_all_well_names_all() -> None:
    result = judged(CHECK, Facts(NOW, (seen(), seen(204, name="pay", expect=(204,)))))
    assert_ok(result, "shop answers 200 in 40 ms; pay answers 204 in 40 ms")
    assert not result.actions


def test_what_it_said_is_evidence_cut_short() -> None:
    result = judged(CHECK, Facts(NOW, (seen(503, body="x" * 4000),)))
    assert_crit(result)
    assert len(result.evidence[0].what) < 300


def test_a_page_of_errors_shows_no_half_of_a_secret() -> None:
    Secret("correct-horse-battery")
    page = "x" * 190 + "correct-horse-battery"
    (evidence,) = judged(CHECK, Facts(NOW, (seen(500, body=page),))).evidence
    assert "correct" not in evidence.what


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("https://h/a?b=1&c=2", "curl -sS -i 'https://h/a?b=1&c=2'"),
        ("https://h/$(x)", "curl -sS -i 'https://h/$(x)'"),
        ("https://h/\x1b", None),
        ("https://hé/", None),
    ],
)
def test_the_command_is_safe_to_paste(url: str, command: str | None) -> None:
    result = judged(CHECK, Facts(NOW, (seen(500, url=url),)))
    assert_crit(result)
    assert [action.command for action in result.actions] == ([command] if command else [])


class FakeHttp:
    """Answers by address: a status, a failure, or seconds to hang."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def request(self, method: str, url: str, *, timeout: float, max_body: int) -> HttpAnswer:
        assert method == "GET"
        assert timeout > 0
        answer = self.answers["pay" if "pay" in url else "live"]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            time.sleep(answer)
            answer = 200
        return HttpAnswer(url, answer, {}, b"b\xffd", False, 12.5, NOW, "")


def two(**more: Any) -> Any:
    return settings(app={"endpoints": [{"url": LIVE, "name": "live"}, {"url": PAY}]}, **more)


REFUSED = SourceError("http", Failure.REFUSED, "no one there")
TIMED_OUT = SourceError("http", Failure.TIMED_OUT, "slow")


def test_gather_keeps_the_order_of_the_configuration() -> None:
    facts = gathered(CHECK, fake_context(two(), http=FakeHttp(live=0.05, pay=204)))
    assert [(one.name, one.status) for one in facts.seen] == [("live", 200), (PAY, 204)]
    assert facts.seen[0].body == "b\ufffdd"
    assert_crit(judged(CHECK, facts), f"{PAY} answers 204 instead of 200")


def test_one_that_does_not_answer_does_not_hide_the_other() -> None:
    facts = gathered(CHECK, fake_context(two(), http=FakeHttp(live=REFUSED, pay=200)))
    assert_crit(judged(CHECK, facts), "live does not answer: connection refused")
    mapped = gathered(
        CHECK, fake_context(two(unreachable="WARN"), http=FakeHttp(live=REFUSED, pay=200))
    )
    assert_warn(judged(CHECK, mapped), "live does not answer")


def test_all_out_is_a_source_that_does_not_answer() -> None:
    with pytest.raises(SourceError) as raised:
        gathered(CHECK, fake_context(two(), http=FakeHttp(live=REFUSED, pay=TIMED_OUT)))
    assert raised.value.does_not_answer


def test_one_that_hangs_is_told_not_left_out() -> None:
    started = time.monotonic()
    ctx = fake_context(two(), http=FakeHttp(live=200, pay=3.0), deadline=0.2)
    result = judged(CHECK, gathered(CHECK, ctx))
    assert time.monotonic() - started < 1
    assert_crit(result, f"{PAY} does not answer: timed out")
    assert result.measured["failing"] == 1


def test_a_fault_is_not_swallowed_by_its_thread() -> None:
    with pytest.raises(ZeroDivisionError):
        gathered(CHECK, fake_context(two(), http=FakeHttp(live=200, pay=ZeroDivisionError())))


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError, match=r"app\.endpoints"):
        gathered(CHECK, fake_context(settings()))
