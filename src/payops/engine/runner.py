"""Runs checks side by side under one deadline, and never loses one's answer to another's failure.

Each check runs on a daemon thread and puts its result in a queue. A pool would keep the process
alive until its last call ends; a daemon thread that hangs in a name lookup is left behind.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from payops.checks.contract import Context, NamedCheck
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.errors import SILENT, Failure, NotConfiguredError, SourceError

_CALLED = {"http": "the address"}  # as a person would

Fault = Callable[[str, str], None]


def run(
    checks: Sequence[NamedCheck], ctx: Context, on_fault: Fault | None = None
) -> tuple[CheckResult, ...]:
    """The result of every check, in the order given, by `ctx.deadline` at the latest.

    A check that has not answered by then is reported as not answering. `on_fault` is told the
    check's id and the traceback when one raised what it should not.
    """
    answers: queue.SimpleQueue[tuple[str, CheckResult]] = queue.SimpleQueue()
    started = time.monotonic()
    for check in checks:
        thread = threading.Thread(
            target=lambda check=check: answers.put((check.id, _answer(check, ctx, on_fault))),
            name=f"check {check.id}",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError as error:  # this machine's limit of processes or of memory
            answers.put((check.id, _not_started(check, ctx, error)))
    results: dict[str, CheckResult] = {}
    while len(results) < len(checks):
        try:
            id_, result = answers.get(timeout=max(ctx.deadline.remaining, 0.001))
        except queue.Empty:
            break
        results[id_] = result
    waited_ms = _ms_since(started)
    return tuple(results.get(c.id) or _too_late(c, ctx, waited_ms) for c in checks)


def _answer(named: NamedCheck, ctx: Context, on_fault: Fault | None) -> CheckResult:
    started = time.monotonic()
    try:
        result = named.check.judge(
            named.check.gather(replace(ctx, limits=named.limits)), named.limits
        )
        return named.signed(result, ctx.now, _ms_since(started))
    except NotConfiguredError as error:
        result = CheckResult(Status.SKIP, error.message)
    except SourceError as error:
        result = _from_source_error(named, ctx, error)
    except BaseException as error:  # noqa: BLE001  whatever it is, SystemExit too, the rest goes on
        if on_fault is not None:
            with suppress(Exception):  # whoever is told may be gone; the answer is not
                on_fault(named.id, traceback.format_exc())
        result = CheckResult(
            Status.UNKNOWN,
            f"fault of payops in this check: {type(error).__name__}: {error}".rstrip(": "),
            actions=(
                Action(
                    "Report it with the traceback",
                    f"payops --verbose health --only {named.id}",
                ),
            ),
        )
    return named.signed(result, ctx.now, _ms_since(started))


def _from_source_error(named: NamedCheck, ctx: Context, error: SourceError) -> CheckResult:
    if error.does_not_answer:
        status = Status[ctx.settings.unreachable]
        silent = "does not answer" if error.kind in SILENT else "gives no usable answer"
        summary = f"{_CALLED.get(error.source, error.source)} {silent}: {error.told}"
        actions = (*_hint(error, named), *named.check.when_down)
    else:
        status = Status.WARN if error.kind is Failure.RATE_LIMITED else Status.UNKNOWN
        summary = f"could not be told: {error}"
        actions = _hint(error, named)
    return CheckResult(
        status,
        summary,
        source=error.source,
        actions=actions,
        measured=error.measured,
        cause=_cause(error),
    )


def _cause(error: SourceError) -> str:
    # A refused key or an outage is one trouble, whatever was asked; addresses are many servers, and
    # a question that was refused is only like the one refused with the same words.
    whole = error.does_not_answer and error.source != "http"
    return f"{error.source}: {error.kind.value if whole else error.told}"


def _hint(error: SourceError, named: NamedCheck) -> tuple[Action, ...]:
    # The command once a report: at the check whose family is the dependency itself.
    command = error.by_hand if named.id.startswith(f"{error.source}.") else ""
    if error.kind is Failure.SCHEMA:
        command = "payops config check"  # all that does not fit, at once
    return (Action(error.hint, command),) if error.hint else ()


def _not_started(named: NamedCheck, ctx: Context, error: RuntimeError) -> CheckResult:
    result = CheckResult(
        Status.UNKNOWN,
        f"not asked: {error}",
        actions=(Action("See this machine's limits of processes and of memory", "ulimit -a"),),
    )
    return named.signed(result, ctx.now, 0)


def _too_late(named: NamedCheck, ctx: Context, waited_ms: int) -> CheckResult:
    # Silence of an advisory source says nothing.
    silent = Status.UNKNOWN if named.check.advisory else Status[ctx.settings.unreachable]
    result = CheckResult(
        silent,
        f"no answer from {named.check.source} before the deadline ({waited_ms / 1000:.1f} s)",
        actions=named.check.when_down,
        cause=f"{named.check.source}: no answer",
    )
    return named.signed(result, ctx.now, waited_ms)


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
