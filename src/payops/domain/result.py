"""The answer of one check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import MoneyAtRisk
from payops.domain.status import Status
from payops.domain.threshold import Limits


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    `judge` fills in the finding; the runner adds `id`, `title`, `limits`, `rows` and
    `duration_ms`.
    `summary` is one line: what, since when, how much. `source` is where it was seen (`stripe`,
    `postgres`, `redis`, `http`, or several joined by `+`), `as_of` when (aware UTC). `since` is
    when the trouble began, where that can be told. `measured` holds the judged values under the
    names of the limits, and others worth graphing; units are those of the limits.
    `advisory` results are shown but never change the status of a report.
    `cause` names what kept the check from its question, where that is a failure of its source:
    results with the same one have one and the same reason, and people are told it once.
    """

    status: Status
    summary: str
    source: str = ""
    as_of: datetime | None = None
    since: datetime | None = None
    measured: Mapping[str, Scalar] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[Action, ...] = ()
    money_at_risk: tuple[MoneyAtRisk, ...] = ()
    id: str = ""
    title: str = ""
    rows: tuple[str, ...] = ()
    advisory: bool = False
    cause: str = ""
    duration_ms: int = 0
