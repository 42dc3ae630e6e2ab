"""Side by side, under one deadline, and never one's answer lost to another's failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from payops.checks.contract import Check, Context, NamedCheck
from payops.domain.deadline import Deadline
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.engine.runner import run
from payops.errors import DOES_NOT_ANSWER, SILENT, Failure, NotConfiguredError, SourceError
from tools import NOW, assert_crit, assert_skip, assert_unknown, assert_warn, fake_context, settings

LIMITS = {"age": Threshold(1, 2, "s", "payops: x")}
DOWN = Action("call somebody", "payops health --list")


def fine(facts: object, limits: Limits) -> CheckResult:
    return CheckResult(Status.OK, f"found {facts}")


def check(
    id_: str, gather: Callable[[Context], Any] = lambda ctx: 1, judge: Any = fine, **more: Any
) -> NamedCheck:
    made: Check[Any] = Check(
        title=f"title of {id_}",
        source=more.pop("source", "postgres"),
        gather=gather,
        judge=judge,
        limits=LIMITS,
        rows=("S0-01",),
        when_down=(DOWN,),
        **more,
    )
    return NamedCheck(id_, made, LIMITS)


def raising(error: BaseException) -> Callable[[Context], Any]:
    def gather(ctx: Context) -> Any:
        raise error

    return gather


def one(found: tuple[CheckResult, ...]) -> CheckResult:
    (result,) = found
    return result


def test_a_machine_without_a_thread_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def starts(thread: threading.Thread) -> None:
        if thread.name == "check a.b":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starts)
    first, second = run([check("a.b"), check("c.d")], fake_context())
    assert_unknown(first, "not asked: can't start new thread")
    assert second.status is Status.OK


def test_nothing_to_run() -> None:
    assert run([], fake_context()) == ()


def test_side_by_side() -> None:
    checks = [check(f"a.{n}", lambda ctx: time.sleep(0.2)) for n in range(12)]
    started = time.monotonic()
    results = run(checks, fake_context())
    assert time.monotonic() - started < 0.2 * 10  # one after the other: 2.4 s
    assert {result.status for result in results} == {Status.OK}
    assert all(result.duration_ms >= 195 for result in results)


def test_in_the_order_given_with_what_the_runner_knows() -> None:
    checks = [
        check("b.slow", lambda ctx: time.sleep(0.05), source="redis"),
        check("a.fast"),
        check("c.told", judge=lambda f, x: CheckResult(Status.WARN, "x", "stripe", NOW)),
    ]
    results = run(checks, fake_context())
    assert [result.id for result in results] == ["b.slow", "a.fast", "c.told"]
    assert [result.source for result in results] == ["redis", "postgres", "stripe"]
    for result in results:
        assert result.title == f"title of {result.id}"
        assert result.limits == LIMITS
        assert result.rows == ("S0-01",)
        assert result.as_of == NOW
        assert not result.advisory


def test_a_check_knows_its_own_limits_when_it_asks() -> None:
    found: list[Limits] = []
    run([check("a.b", lambda ctx: found.append(ctx.limits))], fake_context())
    assert found == [LIMITS]


def test_advisory_results_are_marked() -> None:
    quiet = check("a.b", advisory=True)
    failing = check("a.c", raising(SourceError("http", Failure.DNS, "x")), advisory=True)
    assert all(result.advisory for result in run([quiet, failing], fake_context()))


# ── the deadline ─────────────────────────────────────────────────────────────────────────────────


def test_a_hung_check_is_cut_off_and_the_others_keep_their_results() -> None:
    hung = threading.Event()
    checks = [
        check("a.hung", lambda ctx: hung.wait(30)),
        check("a.fine"),
        check("a.late", lambda ctx: time.sleep(0.05)),
    ]
    started = time.monotonic()
    results = run(checks, fake_context(deadline=0.4))
    took = time.monotonic() - started
    hung.set()
    assert 0.35 < took < 3
    assert [result.status.value for result in results] == ["CRIT", "OK", "OK"]
    assert_crit(results[0], "no answer from postgres before the deadline (0.4 s)")
    assert results[0].actions == (DOWN,)
    assert (results[0].id, results[0].limits) == ("a.hung", LIMITS)
    assert results[0].duration_ms >= 390


def test_many_hung_checks_share_one_deadline() -> None:
    hung = threading.Event()
    started = time.monotonic()
    results = run(
        [check(f"a.{n}", lambda ctx: hung.wait(30)) for n in range(20)], fake_context(deadline=0.3)
    )
    took = time.monotonic() - started
    hung.set()
    assert took < 3
    assert {result.status for result in results} == {Status.CRIT}


@pytest.mark.parametrize("word", ["CRIT", "UNKNOWN", "WARN"])
def test_silence_has_the_configured_status(word: str) -> None:
    ctx = replace(fake_context(settings(unreachable=word)), deadline=Deadline.after(0.05))
    results = run(
        [
            check("a.hung", lambda ctx: time.sleep(3)),
            check("a.advice", lambda ctx: time.sleep(3), advisory=True),
        ],
        ctx,
    )
    assert [result.status.value for result in results] == [word, "UNKNOWN"]


def test_a_deadline_that_is_over_already_ends_at_once() -> None:
    started = time.monotonic()
    result = one(run([check("a.b", lambda ctx: time.sleep(1))], fake_context(deadline=0)))
    assert time.monotonic() - started < 0.9
    assert_crit(result)


# ── what a check raises ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("division"),
        KeyError("x"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        RecursionError("deep"),
        MemoryError(),
    ],
)
def test_a_fault_is_unknown_for_that_check_alone_and_told(error: BaseException) -> None:
    faults: list[tuple[str, str]] = []
    started = time.monotonic()
    results = run(
        [check("stripe.api", raising(error)), check("redis.connect")],
        fake_context(deadline=3),
        lambda id_, trace: faults.append((id_, trace)),
    )
    assert time.monotonic() - started < 1, "it is not waited for"
    assert_unknown(results[0], "fault of payops in this check", type(error).__name__)
    assert results[0].title == "title of stripe.api"
    assert results[1].status is Status.OK
    ((id_, trace),) = faults
    assert id_ == "stripe.api"
    assert "Traceback" in trace
    assert type(error).__name__ in trace


def test_a_judge_that_fails_or_answers_nothing() -> None:
    def broken(facts: object, limits: Limits) -> CheckResult:
        return None  # type: ignore[return-value]

    assert_unknown(
        one(run([check("stripe.api", judge=lambda f, x: 1 / 0)], fake_context())), "ZeroDivision"
    )
    started = time.monotonic()
    assert_unknown(one(run([check("stripe.api", judge=broken)], fake_context())), "AttributeError")
    assert time.monotonic() - started < 1


def test_whoever_is_told_of_a_fault_may_fail_too() -> None:
    def gone(id_: str, trace: str) -> None:
        raise BrokenPipeError

    assert_unknown(
        one(run([check("stripe.api", raising(ValueError("x")))], fake_context(), gone)),
        "ValueError",
    )
    assert_unknown(one(run([check("stripe.api", raising(ValueError("x")))], fake_context())))


def test_not_configured_is_a_skip() -> None:
    result = one(
        run([check("a.b", raising(NotConfiguredError("no breaker here")))], fake_context())
    )
    assert_skip(result, "no breaker here")
    assert not result.actions


@pytest.mark.parametrize("kind", list(Failure))
@pytest.mark.parametrize("unreachable", ["CRIT", "UNKNOWN", "WARN"])
def test_every_failure_of_a_source_has_a_status(kind: Failure, unreachable: str) -> None:
    error = SourceError("redis", kind, "said so", hint="look there", request_id="req_7")
    ctx = fake_context(settings(unreachable=unreachable))
    result = one(run([check("a.b", raising(error), source="http")], ctx))
    assert kind.value in result.summary
    assert "said so" in result.summary
    assert result.source == "redis", "whoever failed, not whoever was to be asked"
    assert result.measured["request_id"] == "req_7"
    assert result.cause
    assert result.actions[0].text == "look there"
    assert (result.actions[0].command == "payops config check") == (kind is Failure.SCHEMA)
    if kind in DOES_NOT_ANSWER:
        assert result.status.value == unreachable
        silent = "does not answer" if kind in SILENT else "gives no usable answer"
        assert f"redis {silent}: " in result.summary
        assert result.actions[1:] == (DOWN,)
    elif kind is Failure.RATE_LIMITED:
        assert_warn(result, "could not be told")
    else:
        assert_unknown(result, "could not be told")
        assert len(result.actions) == 1


def test_a_kind_is_not_said_twice() -> None:
    error = SourceError("http", Failure.REFUSED, "h:1: Connection refused")
    result = one(run([check("app.health", raising(error))], fake_context()))
    assert result.summary == "the address does not answer: h:1: connection refused"


@pytest.mark.parametrize(("id_", "command"), [("redis.connect", "redis-cli PING"), ("a.b", "")])
def test_the_command_by_hand_stands_at_the_dependency_itself(id_: str, command: str) -> None:
    error = SourceError("redis", Failure.REFUSED, "x", hint="look", by_hand="redis-cli PING")
    result = one(run([check(id_, raising(error))], fake_context()))
    assert result.actions[0] == Action("look", command)


def test_an_error_without_hint_or_request_id() -> None:
    result = one(
        run([check("a.b", raising(SourceError("x", Failure.REFUSED, "y")))], fake_context())
    )
    assert result.actions == (DOWN,)
    assert "request_id" not in result.measured


@pytest.mark.parametrize(("source", "alike"), [("stripe", True), ("http", False)])
def test_one_dependency_is_one_cause_and_two_addresses_are_two(source: str, alike: bool) -> None:
    asked = [
        check(
            f"a.{name}", raising(SourceError(source, Failure.AUTHENTICATION, f"GET /{name}: 401"))
        )
        for name in "bc"
    ]
    first, second = run(asked, fake_context())
    assert first.summary != second.summary
    assert (first.cause == second.cause) is alike


def test_no_thread_keeps_the_process_alive() -> None:
    hung = threading.Event()
    run([check("a.left", lambda ctx: hung.wait(30))], fake_context(deadline=0.05))
    (left,) = [thread for thread in threading.enumerate() if thread.name == "check a.left"]
    assert left.daemon
    hung.set()
    left.join(5)
