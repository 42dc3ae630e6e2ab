"""What the tests of checks, configuration and engine share: times, builders, fakes, assertions.

Every `assert_<status>` also holds the result against what all results promise, so that no table
forgets it: a summary of one line, a time, and next commands that can be typed as they stand.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import click
import msgspec
import typer

from payops.checks import check_ids, limits_in_force, select
from payops.checks.contract import Check, Context
from payops.config.load import settings_from
from payops.config.settings import Settings, ThresholdOverride
from payops.domain.deadline import Deadline
from payops.domain.money import MoneyAtRisk
from payops.domain.payment import PaymentStatus
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits
from payops.domain.window import Window
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.ledger import Outcome
from payops.sources.once import Once

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)

LEDGER = {
    "table": "payments",
    "columns": {"id": "id", "status": "status", "amount": "amount", "created_at": "created_at"},
    "statuses": {"pending": ["pending"], "succeeded": ["paid"], "failed": ["failed"]},
}


def before(seconds: float = 0, **span: float) -> datetime:
    """A time before NOW."""
    return NOW - timedelta(seconds=seconds, **span)


def settings(**sections: Any) -> Settings:
    """Settings from plain mappings, as the file would give them."""
    return settings_from(sections)


# ── what a check is given ────────────────────────────────────────────────────────────────────────


class FakeSources:
    """The sources a test gives; every other one is not configured, as in `Sources`."""

    def __init__(self, **given: Any) -> None:
        self.once = Once()
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        raise NotConfiguredError(f"{name} is not configured")


class Raises:
    """A source that does not answer, whatever it is asked."""

    def __init__(self, kind: Failure, source: str = "fake", message: str = "down") -> None:
        self.error = SourceError(source, kind, message, hint="look there", request_id="req_1")

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object, **kwargs: object) -> None:
            raise self.error

        return fail


def fake_context(
    configured: Settings | None = None,
    *,
    now: datetime = NOW,
    window: Window | None = None,
    deadline: float = 5,
    **sources: Any,
) -> Context:
    """A context with fake sources: `fake_context(settings(...), redis=FakeRedis())`."""
    return Context(
        settings=configured or settings(),
        sources=FakeSources(**sources),
        window=window or Window(now - timedelta(hours=1), now),
        now=now,
        deadline=Deadline.after(deadline),
    )


def gathered(check: Check[Any], ctx: Context, **overrides: Mapping[str, object]) -> Any:
    """The facts that a check finds, asked as the runner asks."""
    return check.gather(replace(ctx, limits=limits_of(check, **overrides)))


def limits_of(check: Check[Any], **overrides: Mapping[str, object]) -> Limits:
    """A check's limits with the configuration's: `limits_of(CHECK, rate={"crit": None})`."""
    given = msgspec.convert(overrides, dict[str, ThresholdOverride])
    return limits_in_force("family.name", check, given)


def judged(check: Check[Any], facts: object, **overrides: Mapping[str, object]) -> CheckResult:
    """What a check says of facts. Judged values stand under the names of the limits."""
    result = check.judge(facts, limits_of(check, **overrides))
    for name in check.limits:
        assert name in result.measured or result.status is Status.CRIT, f"{name} is not measured"
    return result


def outcome(
    status: str | None,
    count: int = 1,
    code: str | None = None,
    *,
    raw: str = "",
    minor: int = 1000,
    currency: str = "usd",
    inexact: int = 0,
    first: datetime = NOW - timedelta(minutes=10),
) -> Outcome:
    """`count` payments of one status; `minor` is the amount of each."""
    return Outcome(
        status=PaymentStatus(status) if status else None,
        raw=raw or status or "",
        failure_code=code,
        currency=currency,
        count=count,
        minor=minor * (count - inexact),
        inexact=inexact,
        first=first,
        last=NOW,
    )


# ── what it answers ──────────────────────────────────────────────────────────────────────────────


def assert_ok(result: CheckResult, *words: str) -> None:
    """OK, with these words in the summary."""
    _assert(result, Status.OK, words)


def assert_warn(result: CheckResult, *words: str) -> None:
    """WARN, likewise."""
    _assert(result, Status.WARN, words)


def assert_crit(result: CheckResult, *words: str) -> None:
    """CRIT, likewise."""
    _assert(result, Status.CRIT, words)


def assert_unknown(result: CheckResult, *words: str) -> None:
    """UNKNOWN, likewise."""
    _assert(result, Status.UNKNOWN, words)


def assert_skip(result: CheckResult, *words: str) -> None:
    """SKIP, likewise."""
    _assert(result, Status.SKIP, words)


def assert_is(status: str, result: CheckResult, *words: str) -> None:
    """The status named by a table."""
    _assert(result, Status[status], words)


def _assert(result: CheckResult, status: Status, words: tuple[str, ...]) -> None:
    assert result.status is status, f"{result.status.value}: {result.summary}"
    for word in words:
        assert word in result.summary, f"{word!r} is not in {result.summary!r}"
    assert result.summary.strip() == result.summary != ""
    assert "  " not in result.summary.replace("\\", "")
    assert len(result.summary) < 600, "a summary is a line"
    assert result.as_of is not None
    assert result.since is None or result.since <= result.as_of, "trouble begins in the past"
    for evidence in result.evidence:
        assert len(evidence.what) < 600
        assert evidence.what.strip()
    for action in result.actions:
        assert action.text.strip()
        assert_typeable(action.command)


def assert_money(result: CheckResult, *expected: str) -> None:
    """The money at risk as people read it: `assert_money(result, "59.97 USD (3)")`."""
    assert [str(money) for money in result.money_at_risk] == list(expected)


def money(currency: str, minor: int, count: int) -> MoneyAtRisk:
    """Money at risk."""
    return MoneyAtRisk(currency, minor, count)


@cache
def assert_typeable(command: str) -> None:
    """A next command is one line for a shell; one of payops' own is accepted by its parser."""
    assert "\n" not in command
    words = shlex.split(command)  # ValueError: a quote is left open
    if not words or words[0] != "payops":
        return
    from payops.cli.main import app, hoisted
    from payops.formats import known_output

    rest = hoisted(words[1:])
    here: Any = typer.main.get_command(app)
    ctx = here.make_context("payops", list(rest))
    while isinstance(here, click.Group) or hasattr(here, "resolve_command"):
        # typer may bring a click of its own: told by what it can do
        waiting = [*ctx._protected_args, *ctx.args]
        if not waiting and here.invoke_without_command:
            break
        name, here, rest = here.resolve_command(ctx, waiting)
        ctx = here.make_context(name, list(rest), parent=ctx)
    if ctx.info_name == "health":
        known = (*check_ids(), "own.example")
        assert select(ctx.params["only"] or (), ctx.params["skip"] or (), known)
    if ctx.params.get("output"):
        assert known_output(ctx.params["output"])
