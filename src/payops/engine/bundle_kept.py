"""What was seen, as JSON, and back: everything that a diagnosis is made of, and nobody's name.

Every text passes the redactor and loses its e-mail addresses before it is written. What is read may
come from anybody: it is decoded into the very types that a look is made of, or refused.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from payops.domain.evidence import Action
from payops.domain.impact import Surroundings
from payops.domain.people import nameless
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.secret import redact
from payops.domain.window import Window
from payops.engine.diagnose import Observation
from payops.engine.diagnosis import Seen
from payops.errors import UsageError
from payops.runbook.lines import FOR_A_PERSON

# What a shell would do more with than run one payops command.
_OBEYED = re.compile(r"[;&|<>`$\\{}!\n\r]")


@dataclass(frozen=True)
class _Part:
    command: str
    generated_at: datetime
    checks: tuple[CheckResult, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    stripe_calls: int = 0
    duration_ms: int = 0


@dataclass(frozen=True)
class _Kept:
    as_of: datetime
    window: Window
    environment: str
    preset: str
    reports: Mapping[str, _Part]
    failures: Mapping[str, str]
    around: Surroundings
    stripe_calls: int = 0
    duration_ms: int = 0
    config: str = ""


def as_plain(seen: Seen) -> dict[str, Any]:
    """What was seen in JSON's own types, every text cleaned."""
    look = seen.observation
    kept = _Kept(
        as_of=look.as_of,
        window=look.window,
        environment=look.environment,
        preset=look.preset,
        reports={name: _part(report) for name, report in look.reports.items()},
        failures=look.failures,
        around=seen.around,
        stripe_calls=look.stripe_calls,
        duration_ms=look.duration_ms,
        config=seen.config,
    )
    plain: dict[str, Any] = cleaned(msgspec.to_builtins(kept, enc_hook=str, str_keys=True))
    return plain


def _part(report: Report) -> _Part:
    tables = {
        table.id: [
            {column.key: cell for column, cell in zip(table.columns, row, strict=True)}
            for row in table.rows
        ]
        for table in report.tables
    }
    return _Part(
        report.command,
        report.generated_at,
        report.checks,
        report.extra,
        tables,
        report.stripe_calls,
        report.duration_ms,
    )


def cleaned(value: Any) -> Any:
    """Plain data with every text in it redacted and without e-mail addresses, fit for JSON: a
    number that is none (NaN, infinity) is null there, and half a character is written out."""
    return _walked(
        value, lambda text: nameless(redact(text)).encode("utf-8", "backslashreplace").decode()
    )


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_walked(key, change): _walked(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(item, change) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_plain(plain: object) -> Seen:
    """What was seen, from what `as_plain` gave. Raises UsageError."""
    try:
        kept = msgspec.convert(plain, _Kept)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        raise UsageError(f"is not what payops saw: {error}") from None
    reports = {
        name: Report(
            part.command,
            part.generated_at,
            kept.environment,
            tuple(map(_harmless, part.checks)),
            part.stripe_calls,
            part.duration_ms,
            part.extra,
        )
        for name, part in kept.reports.items()
    }
    look = Observation(
        as_of=kept.as_of,
        window=kept.window,
        environment=kept.environment,
        preset=kept.preset,
        reports=reports,
        failures=kept.failures,
        stripe_calls=kept.stripe_calls,
        duration_ms=kept.duration_ms,
    )
    return Seen(look, kept.around, kept.config)


def _harmless(check: CheckResult) -> CheckResult:
    """The check with no other commands than payops' own: a file must not tell anybody to paste
    something else into a shell."""
    return replace(
        check,
        actions=tuple(
            one if not one.command or _ours(one.command) else Action(one.text)
            for one in check.actions
        ),
    )


def _ours(command: str) -> bool:
    if not command.startswith("payops ") or _OBEYED.search(command):
        return False
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return not FOR_A_PERSON & {word.partition("=")[0] for word in words}
