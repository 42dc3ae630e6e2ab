"""Is a circuit breaker open, and should it have half-opened by now?"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from payops.checks.circuit.state import CHECK
from payops.domain.result import CheckResult
from payops.errors import Failure, NotConfiguredError, SourceError
from tools import (
    NOW,
    Raises,
    assert_crit,
    assert_is,
    assert_ok,
    assert_unknown,
    assert_warn,
    before,
    fake_context,
    gathered,
    judged,
    settings,
)

KEYS = {
    "state": "cb:stripe:state",
    "failures": "cb:stripe:failures",
    "opened_at": "cb:stripe:opened_at",
    "last_failure": "cb:stripe:last_failure",
}
NOW_S = int(NOW.timestamp())


@dataclass
class FakeRedis:
    """String values by key, and a clock."""

    stored: dict[str, bytes] = field(default_factory=dict)
    clock: datetime = NOW
    odd: dict[str, str] = field(default_factory=dict)

    def strings(self, keys: list[str]) -> dict[str, bytes | None]:
        return {key: self.stored.get(key) for key in keys}

    def types(self, keys: list[str]) -> dict[str, str]:
        return {key: self.odd.get(key, "none") for key in keys}

    def hashes(self, keys: list[str], most: int) -> dict[str, dict[bytes, bytes]]:
        return {}

    def ttls(self, keys: list[str]) -> dict[str, int | None]:
        return dict.fromkeys(keys)

    def now(self) -> datetime:
        return self.clock


def configured(*breakers: dict[str, Any]) -> Any:
    return settings(
        redis={"url": "redis://h"},
        circuit={"breakers": list(breakers) or [{"name": "stripe", "keys": KEYS}]},
    )


def found(clock: datetime = NOW, **stored: bytes | str) -> CheckResult:
    """What the check says of values stored under the reference's keys."""
    values = {KEYS[k]: v if isinstance(v, bytes) else v.encode() for k, v in stored.items()}
    ctx = fake_context(configured(), redis=FakeRedis(values, clock))
    return judged(CHECK, gathered(CHECK, ctx))


@pytest.mark.parametrize("state", ["closed", "CLOSED", b'"closed"', " Closed\n", None])
def test_closed(state: str | bytes | None) -> None:
    result = found(**({} if state is None else {"state": state}))
    assert_ok(result, "stripe is closed")
    assert result.measured == {"state": "closed", "failures": None}
    assert not result.actions


def test_one_that_is_not_there_is_told_from_one_that_is_closed() -> None:
    assert_ok(found(), "stripe is closed, none of its keys is stored")
    assert found(state="closed").summary == "breaker stripe is closed"


@pytest.mark.parametrize(
    ("failures", "words"),
    [("0", "stripe is closed"), ("4", "closed, 4 of 5 failures counted"), ("x", "is closed")],
)
def test_failures_of_a_closed_one(failures: str, words: str) -> None:
    assert_ok(found(failures=failures), words)


@pytest.mark.parametrize("state", ["open", "OPEN", b"Opened", '"open"'])
def test_open_and_overdue(state: str | bytes) -> None:
    result = found(state=state, failures="7", opened_at=str(NOW_S - 3600))
    assert_crit(result, "stripe is open for 1 h", "7 failures", "payments are refused", "was due")
    assert result.since == before(3600)
    assert result.measured == {"state": "open", "failures": 7}
    assert [action.command for action in result.actions] == [
        "payops health --only stripe.api",
        "payops circuit reset stripe",
    ]
    assert result.evidence[0].detail["opened_at"] == "2026-02-11T08:30:00Z"


def test_one_failure_is_not_plural() -> None:
    assert "1 failure," in found(state="open", failures="1").summary


@pytest.mark.parametrize(
    "written",
    [
        str(NOW_S - 600),
        f"{NOW_S - 601}.75",
        str((NOW_S - 600) * 1000),
        str((NOW_S - 600) * 1_000_000),
        "2026-02-11T09:20:00Z",
        "2026-02-11T09:20:00",
        "2026-02-11 10:20:00.000+01:00",
        '"2026-02-11T09:20:00.000Z"',
        f" {NOW_S - 600}\n",
    ],
)
def test_every_way_to_write_a_time(written: str) -> None:
    assert_crit(found(state="open", opened_at=written), "open for 10 min")
    assert_crit(found(state="open", last_failure=written), "open for 10 min")


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "0",
        "-1",
        "nan",
        "inf",
        "1e400",
        "soon",
        "null",
        "None",
        "9" * 400,
        "0001-01-01T00:00:00+01:00",
        "1970-01-01T00:00:00Z",
        b"\x80\x04\x95\xff",
    ],
)
def test_what_is_no_time_is_not_taken_for_one(garbage: str | bytes) -> None:
    result = found(state="open", opened_at=garbage, failures=garbage)
    assert_crit(result, "stripe is open without an opening time")
    assert result.since is None


def test_a_date_is_a_date() -> None:
    assert_crit(found(state="open", opened_at="20260210"), "open for 1 d 9 h")


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (0, "half-open is due in 30 s"),
        (29, "half-open is due in 1 s"),
        (30, "open for 30 s"),
        (31, "half-open was due 1 s ago: stuck, or no traffic"),
        (90000, "open for 1 d 1 h"),
    ],
)
def test_around_the_recovery(age_s: int, words: str) -> None:
    result = found(state="open", opened_at=str(NOW_S - age_s))
    assert_crit(result, words)
    assert ("stuck" in result.summary) == (age_s > 30)


def test_a_time_in_the_future_is_told_not_believed() -> None:
    result = found(state="open", opened_at=str(NOW_S + 600))
    assert_crit(result, "open since a time in the future")
    assert result.since is None
    assert "due" not in result.summary


@pytest.mark.parametrize("minutes", [0, 12, -12])
def test_it_is_judged_by_the_clock_of_redis(minutes: int) -> None:
    theirs = NOW + timedelta(minutes=minutes)
    opened = str(int(theirs.timestamp()) - 20)
    result = found(theirs, state="open", opened_at=opened)
    assert_crit(result, "open for 20 s")
    assert result.as_of == theirs


@pytest.mark.parametrize("state", ["half_open", "HALF-OPEN", "half open", "HalfOpen"])
def test_half_open(state: str) -> None:
    result = found(state=state, opened_at=str(NOW_S - 40))
    assert_warn(result, "stripe is half-open", "payments go through again")
    assert result.since == before(40)


@pytest.mark.parametrize("state", ["ajar", "", "\x1b[2J", b"\x80\x04\x95\x08", "x" * 9999])
def test_what_is_no_state(state: str | bytes) -> None:
    result = found(state=state)
    assert_unknown(result, "is not a state payops knows")
    assert "\x1b" not in result.summary
    assert result.evidence


def test_a_state_of_another_type_is_not_an_absent_one() -> None:
    redis = FakeRedis(odd={KEYS["state"]: "hash"})
    result = judged(CHECK, gathered(CHECK, fake_context(configured(), redis=redis)))
    assert_unknown(
        result, "breaker stripe: stored state '(a hash, not text)' is not a state payops knows"
    )


def test_a_command_survives_an_odd_name() -> None:
    name = "it's; rm -rf / $(x)"
    redis = FakeRedis({"k": b"open"})
    breakers = configured({"name": name, "keys": {"state": "k"}})
    result = judged(CHECK, gathered(CHECK, fake_context(breakers, redis=redis)))
    assert shlex.split(result.actions[1].command)[-1] == name


def test_one_that_turns_half_open_by_itself() -> None:
    keys = {"state": "s", "opened_at": "o"}
    breakers = configured({"name": "a", "keys": keys, "half_open": "computed"})
    for age_s, status in ((29, "CRIT"), (31, "WARN")):
        redis = FakeRedis({"s": b"open", "o": str(NOW_S - age_s).encode()})
        result = judged(CHECK, gathered(CHECK, fake_context(breakers, redis=redis)))
        assert_is(status, result)


@pytest.mark.parametrize(
    ("left_s", "words"), [(60, "half-open is due in 60 s"), (-60, "half-open was due 60 s ago")]
)
def test_a_library_that_stores_when_it_is_due(left_s: int, words: str) -> None:
    expiry = (NOW + timedelta(seconds=left_s)).isoformat()
    document = f'{{"state": 2, "counts": {{"ConsecutiveFailures": 6}}, "expiry": "{expiry}"}}'
    redis = FakeRedis({"gobreaker:state:a": document.encode()})
    breakers = configured({"name": "a", "layout": "gobreaker"})
    result = judged(CHECK, gathered(CHECK, fake_context(breakers, redis=redis)))
    assert_crit(result, "breaker a is open after 6 failures", words)


def test_several_breakers_are_told_apart() -> None:
    breakers = (
        {"name": "stripe", "keys": {"state": "a"}},
        {"name": "mail", "keys": {"state": "b"}, "guards": "mailgun", "recovery": "10m"},
        {"name": "db", "keys": {"state": "c"}, "guards": "postgres"},
    )
    redis = FakeRedis({"b": b"open", "c": b"half_open"})
    result = judged(CHECK, gathered(CHECK, fake_context(configured(*breakers), redis=redis)))
    assert_crit(result, "mail is open", "calls to mailgun are refused", "db is half-open")
    assert "stripe" not in result.summary
    assert result.measured["mail.state"] == "open"
    assert result.measured["stripe.state"] == "closed"
    assert result.actions[0].text == "First see whether Mailgun answers"
    assert result.actions[0].command == ""
    redis = FakeRedis({"a": b"?", "c": b"open"})
    result = judged(CHECK, gathered(CHECK, fake_context(configured(*breakers), redis=redis)))
    assert_is("CRIT", result, "breaker stripe: stored state '?'", "db is open")
    assert result.actions[0].command == "payops health --only postgres.connect"


def test_nothing_to_ask() -> None:
    with pytest.raises(NotConfiguredError, match=r"circuit\.breakers"):
        gathered(CHECK, fake_context(settings(redis={"url": "redis://h"})))
    with pytest.raises(NotConfiguredError, match="redis"):
        gathered(CHECK, fake_context(configured()))
    with pytest.raises(SourceError):
        gathered(CHECK, fake_context(configured(), redis=Raises(Failure.TIMED_OUT)))
