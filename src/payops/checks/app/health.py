"""Does the application answer at its own addresses, as it should, and in time?

Runbooks 000 and 003 start with the application's health URL.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.hosts import ask_each
from payops.config.settings import AppEndpoint
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.secret import excerpt
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Threshold
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.clock import http_date
from payops.sources.http import HttpAnswer

_MOST_BODY = 4096  # bytes: more than is shown, so that a secret in it is known as a whole
LIMITS = {
    "latency": Threshold(2000, 5000, "ms", "S3-09 and S3-38: an answer within 5 s"),
}


@dataclass(frozen=True)
class Seen:
    """One address: what it answered, or why it did not (`failure`). `skew_s` is its clock minus
    ours, None when it did not tell."""

    name: str
    url: str
    expect: tuple[int, ...]
    status: int | None = None
    latency_ms: float = 0
    location: str = ""
    body: str = ""
    failure: SourceError | None = None
    skew_s: float | None = None


@dataclass(frozen=True)
class Facts:
    """Every configured address, in the order of the configuration; `unreachable` is the status of
    one that does not answer."""

    as_of: datetime
    seen: tuple[Seen, ...]
    unreachable: Status = Status.CRIT


def gather(ctx: Context) -> Facts:
    found = asked(ctx)
    failures = [one.failure for one in found if one.failure is not None]
    if failures and len(failures) == len(found):
        raise failures[0]  # the application as a whole does not answer
    return Facts(ctx.now, found, Status[ctx.settings.unreachable])


def asked(ctx: Context) -> tuple[Seen, ...]:
    """Every configured address, asked once a run. Raises NotConfiguredError when there is none."""
    endpoints = ctx.settings.app.addresses
    if not endpoints:
        raise NotConfiguredError(
            "no address of the application is configured (app.base_url, app.endpoints)"
        )
    return ctx.sources.once("app endpoints", lambda: _ask_all(ctx, endpoints))


def _ask_all(ctx: Context, endpoints: tuple[AppEndpoint, ...]) -> tuple[Seen, ...]:
    seen: dict[int, Seen] = {}

    def look(numbered: tuple[int, AppEndpoint]) -> None:
        index, endpoint = numbered
        seen[index] = _look(ctx, endpoint)

    ask_each(ctx, enumerate(endpoints), look)
    # One that hangs is told as such, never left out: its silence is the finding.
    return tuple(seen.get(i) or _silent(e) for i, e in enumerate(endpoints))


def _silent(endpoint: AppEndpoint) -> Seen:
    failure = SourceError("http", Failure.TIMED_OUT, f"GET {endpoint.url}: no answer")
    return Seen(endpoint.name or endpoint.url, endpoint.url, endpoint.expect, failure=failure)


def _look(ctx: Context, endpoint: AppEndpoint) -> Seen:
    name = endpoint.name or endpoint.url
    try:
        answer = ctx.sources.http.request(
            "GET", endpoint.url, timeout=ctx.deadline.within(endpoint.timeout), max_body=_MOST_BODY
        )
    except SourceError as error:
        return Seen(name, endpoint.url, endpoint.expect, failure=error)
    return Seen(
        name=name,
        url=endpoint.url,
        expect=endpoint.expect,
        status=answer.status,
        latency_ms=answer.latency_ms,
        location=answer.location,
        body=answer.body.decode("utf-8", "replace"),
        skew_s=_skew(answer),
    )


def _skew(answer: HttpAnswer) -> float | None:
    """The address's clock minus ours; `Date` has whole seconds, so half of one is added."""
    date = http_date(answer.headers.get("date"))
    if date is None:
        return None
    return (date - answer.as_of).total_seconds() + 0.5 + answer.latency_ms / 2000


def judge(facts: Facts, limits: Limits) -> CheckResult:
    told = [_tell(one, limits, facts.unreachable) for one in facts.seen]
    troubled = [text for status, text in told if status is not Status.OK]
    slowest = max((one.latency_ms for one in facts.seen), default=0)
    bad = [
        one for (status, _), one in zip(told, facts.seen, strict=True) if status is not Status.OK
    ]
    return CheckResult(
        worst(status for status, _ in told),
        "; ".join(troubled or [text for _, text in told]),
        as_of=facts.as_of,
        measured={"latency": round(slowest), "failing": len(bad)},
        evidence=tuple(
            Evidence(f"{one.url} said: {excerpt(one.body, 200)}", "http", facts.as_of)
            for one in bad
            if one.body
        ),
        actions=tuple(
            Action(f"Ask {one.name} yourself", f"curl -sS -i {shlex.quote(one.url)}")
            for one in bad[:3]
            if one.url.isascii() and one.url.isprintable()
        ),
    )


def _tell(one: Seen, limits: Limits, unreachable: Status) -> tuple[Status, str]:
    if one.failure is not None:
        return unreachable, f"{one.name} does not answer: {one.failure.kind.value}"
    took = human_duration(one.latency_ms / 1000)
    if one.status not in one.expect:
        expected = " or ".join(str(code) for code in one.expect)
        where = f" to {one.location}" if one.location else ""
        return Status.CRIT, f"{one.name} answers {one.status}{where} instead of {expected}"
    return limits["latency"].judge(one.latency_ms), f"{one.name} answers {one.status} in {took}"


CHECK = Check(
    title="The application answers",
    source="http",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-48", "S0-49", "S3-38"),
    when_down=(
        Action("Look at the application where it runs", "docker ps --filter status=exited"),
    ),
)
