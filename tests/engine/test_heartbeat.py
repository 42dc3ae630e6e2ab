"""The dead-man's switch: pings in order, bounded, and never in the way."""

from __future__ import annotations

import time

import pytest

from listening import Heard, listening
from payops.domain import secret
from payops.domain.secret import redact
from payops.engine import heartbeat
from payops.engine.heartbeat import Heartbeat
from payops.errors import UsageError

UUID = "5ad7c0f3-9b1e-4c55-8d0e-3c2f6a1b9e77"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_known", set(secret._known))
    monkeypatch.setattr(secret, "_compiled", None)


def run(heard: Heard, code: int, said: str = "", *, query: str = "") -> list[str]:
    told: list[str] = []
    pulse = Heartbeat(f"http://127.0.0.1:{heard.port}/{UUID}{query}", told.append)
    pulse.start()
    pulse.finish(code, said)
    return told


@pytest.mark.parametrize(("code", "end"), [(0, ""), (1, ""), (2, "/fail"), (3, "/fail")])
def test_a_run_is_two_pings_in_order(code: int, end: str) -> None:
    with listening() as heard:
        assert run(heard, code, "PAYOPS HEALTH é") == []
    assert heard.paths == [f"/{UUID}/start", f"/{UUID}{end}"]
    assert heard.bodies == ["", "PAYOPS HEALTH é"]


def test_a_query_stays_behind_the_path() -> None:
    with listening() as heard:
        run(heard, 2, query="?create=1")
    assert heard.paths == [f"/{UUID}/start?create=1", f"/{UUID}/fail?create=1"]


def test_what_is_sent_is_redacted_and_of_a_size() -> None:
    with listening() as heard:
        run(heard, 0, "sk_live_51HostileHostileHostile4242 " + "x" * 50_000)
    assert "HostileHostile" not in heard.bodies[1]
    assert len(heard.bodies[1].encode()) == 10_000


@pytest.mark.parametrize(("status", "pings"), [(500, 3), (404, 1), (302, 1)])
def test_a_switch_that_refuses_is_told_without_its_address(status: int, pings: int) -> None:
    with listening(status) as heard:
        told = run(heard, 0)
    assert len(heard.paths) == 2 * pings
    assert told == [f"payops: the heartbeat was not heard at 127.0.0.1: HTTP {status}"] * 2


def test_a_switch_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_ATTEMPT_S", 0.2)
    monkeypatch.setattr(heartbeat, "_SECONDS", 0.6)
    with listening(delay=30) as heard:
        began = time.monotonic()
        told = run(heard, 0)
        assert time.monotonic() - began < 2
    assert told
    assert all(line.endswith(": timed out") for line in told)


def test_a_switch_that_is_not_there_is_told() -> None:
    with listening() as heard:
        pass
    assert run(heard, 0)[0].endswith("not heard at 127.0.0.1: connection refused")


@pytest.mark.parametrize(
    "url", ["hc-ping.com/x", "ftp://h/x", "https://", "https://h:port/x", "http://[", ""]
)
def test_what_is_no_address_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="no http"):
        Heartbeat(url, print)


def test_the_address_is_a_secret() -> None:
    Heartbeat(f"https://hc-ping.com/{UUID}", print)
    assert redact(f"asked https://hc-ping.com/{UUID}/start") == ("asked https://[redacted]/start")
    assert redact(f"of {UUID}") == "of [redacted]"
    assert redact("hc-ping.com") == "hc-ping.com"
