"""The first step of every output: a report in which every string may be shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType, cast

from payops.domain.report import Report
from payops.domain.secret import MASK, Secret, redact
from payops.domain.text import harmless

SafeReport = NewType("SafeReport", Report)
"""A report that went through `safe`; only these can be rendered, which mypy enforces."""


@dataclass(frozen=True)
class Page:
    """What a report is written on.

    `width` in columns and `colour` are the terminal's, `now` (aware UTC) is what relative times
    count from, `ascii_only` forbids every character beyond ASCII.
    """

    colour: bool
    width: int
    now: datetime
    ascii_only: bool


def safe(report: Report, *, one_line: bool) -> SafeReport:
    """`report` with every string in it redacted, at any depth, keys too.

    `one_line`: control and direction characters are made visible as well, so that a text from
    outside stays on its line and moves no cursor.
    """

    def clean(text: str) -> str:
        redacted = redact(text)
        return harmless(redacted) if one_line else redacted

    return SafeReport(cast(Report, _cleaned(report, clean)))


def _cleaned(value: object, clean: Callable[[str], str]) -> object:
    if isinstance(value, Enum):
        return value
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bytes | bytearray):
        return clean(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            clean(key) if isinstance(key, str) else key: _cleaned(item, clean)
            for key, item in value.items()
        }
    if isinstance(value, tuple | list):
        return tuple(_cleaned(item, clean) for item in value)
    if isinstance(value, set | frozenset):
        return frozenset(_cleaned(item, clean) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _cleaned(getattr(value, field.name), clean)
            for field in dataclasses.fields(value)
            if field.init
        }
        return dataclasses.replace(value, **changed)
    return value
