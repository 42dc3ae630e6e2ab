"""The report as one JSON document, for programs.

Keys come in a fixed order. Every key of a check is always there: what is not known is null, and
what there is none of is an empty list or object. A check's `limits` is a mapping by the name of
what is judged, each `{"warn", "crit", "unit", "worse", "source"}`; beside the names stand `warn`,
`crit` and `unit` of the first one, which for most checks is the only one, so that both
`limits.warn` and `limits.failures.warn` can be asked for. Names win where they coincide. A check
without limits has `{}`.

Times are UTC with a `Z`; money is whole minor units; what JSON has no number for (NaN, infinity)
is null. Text is as it was seen, with control, direction and non-characters escaped (`\\u202e`), so
that the document itself is safe to print; a lone surrogate, which is no character, becomes its
visible name.

The redactor works on each string, not on the finished text: a password like `1234` would else
be cut out of numbers, and the document would no longer be JSON.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

from payops.domain.duration import utc_text
from payops.domain.report import SCHEMA_VERSION
from payops.domain.result import CheckResult
from payops.domain.secret import redact
from payops.domain.text import DANGEROUS
from payops.domain.threshold import Limits, Threshold
from payops.formats.safe import Page, SafeReport

# Line breaks outside strings are the document's own; json.dumps escapes those inside.
_ESCAPED = re.compile(f"(?!\n)[{DANGEROUS}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def render(report: SafeReport, page: Page) -> str:
    """One document, two spaces of indent, ending with a newline."""
    fixed: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "command": report.command,
        "status": report.status,
        "generated_at": utc_text(report.generated_at),
        "environment": report.environment,
        "checks": [check_object(check) for check in report.checks],
    }
    tables = {
        table.id: [
            {column.key: cell for column, cell in zip(table.columns, row, strict=True)}
            for row in table.rows
        ]
        for table in report.tables
    }
    cost = {"stripe_calls": report.stripe_calls, "duration_ms": report.duration_ms}
    # A command's own sections stand beside `checks` and can never replace a key of the contract.
    document = (
        fixed
        | {k: v for k, v in (tables | dict(report.extra)).items() if k not in fixed | cost}
        | cost
    )
    text = json.dumps(
        plain_value(document), ensure_ascii=page.ascii_only, indent=2, allow_nan=False
    )
    return _ESCAPED.sub(_escape, text) + "\n"


def check_object(check: CheckResult) -> dict[str, object]:
    """One element of `checks`."""
    return {
        "id": check.id,
        "title": check.title,
        "status": check.status,
        "summary": check.summary,
        "source": check.source,
        "as_of": utc_text(check.as_of) if check.as_of else None,
        "since": utc_text(check.since) if check.since else None,
        "measured": check.measured,
        "limits": _limits_object(check.limits),
        "evidence": [
            {
                "what": evidence.what,
                "source": evidence.source,
                "as_of": utc_text(evidence.as_of),
                "detail": evidence.detail,
            }
            for evidence in check.evidence
        ],
        "actions": [{"text": action.text, "command": action.command} for action in check.actions],
        "money_at_risk": check.money_at_risk,
        "duration_ms": check.duration_ms,
        "advisory": check.advisory,
        "rows": check.rows,
    }


def _limits_object(limits: Limits) -> dict[str, object]:
    named: dict[str, object] = {name: _threshold_object(limit) for name, limit in limits.items()}
    first = next(iter(limits.values()), None)
    if first is None:
        return {}
    return {"warn": first.warn, "crit": first.crit, "unit": first.unit} | named


def _threshold_object(threshold: Threshold) -> dict[str, object]:
    return {
        "warn": threshold.warn,
        "crit": threshold.crit,
        "unit": threshold.unit,
        "worse": threshold.worse,
        "source": threshold.source,
    }


def plain_value(value: object) -> object:
    """`value` in JSON's own types: what a command puts into `Report.extra` may be richer.

    Dataclasses become objects of their fields, times UTC text (to the microsecond where they have
    any), time spans seconds, decimals and anything unknown text, sets sorted lists.
    """
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, str) else plain_value(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _characters(redact(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {_key(name): plain_value(item) for name, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain_value(item) for item in value), key=str)
    if isinstance(value, tuple | list):
        return [plain_value(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain_value(getattr(value, field.name)) for field in fields}
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    return plain_value(str(value))


def _key(name: object) -> str:
    # Not redacted here: those from outside were by `safe`, and the contract's own must stay.
    return _characters(str(name.value if isinstance(name, Enum) else name))


def _characters(text: str) -> str:
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
