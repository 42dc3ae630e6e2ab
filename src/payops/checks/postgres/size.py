"""How large is the database, and how fast does it grow?

Runbook 000 looks at its size. No runbook gives a limit, as it depends on the disk: set one with
`thresholds: postgres.size: bytes`. Growth is told where an earlier run is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from payops.checks.by_hand import psql
from payops.checks.contract import Check, Context, Earlier
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import harmless, shortened
from payops.domain.threshold import Limits, Threshold

ID = "postgres.size"
LIMITS = {
    "bytes": Threshold(None, None, "bytes", "S0-54 gives no limit: yours is the disk's"),
    "growth": Threshold(10, None, "%", "payops: a day; a table without an end, or a log"),
}
_DAY_S = 86_400
# Two readings nearer than this say nothing of a day; nor does a MiB more of a small database.
_APART_S = 3600
_NOTHING = 64 * 1024**2


@dataclass(frozen=True)
class Facts:
    """Bytes of the database, and of each mapped table with its indexes."""

    as_of: datetime
    bytes: int
    tables: Mapping[str, int] = field(default_factory=dict)
    earlier: Earlier | None = None


def gather(ctx: Context) -> Facts:
    from payops.sources.postgres_tables import mapped_tables, size

    seen = size(ctx.sources.postgres, mapped_tables(ctx.settings))
    (one,) = seen.rows
    return Facts(seen.as_of, one.bytes, one.tables, ctx.earlier.get(ID))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    growth, apart = _growth(facts)
    of_growth = Status.OK if growth is None else limits["growth"].judge(growth)
    status = worst([limits["bytes"].judge(facts.bytes), of_growth])
    summary = f"the database has {size_text(facts.bytes)}"
    if growth is not None:
        summary += f", {growth:+.1f} % a day since {human_duration(apart)} ago"
    largest = sorted(facts.tables.items(), key=lambda item: -item[1])
    shares = ", ".join(f"{_name(name)} {size_text(size)}" for name, size in largest[:3])
    return CheckResult(
        status,
        f"{summary}; {shares}" if shares else summary,
        as_of=facts.as_of,
        measured={
            "bytes": facts.bytes,
            "growth": None if growth is None else round(growth, 2),
        },
        evidence=tuple(
            Evidence(f"{_name(name)}: {size_text(size)}", "postgres", facts.as_of, {"bytes": size})
            for name, size in largest
        ),
        actions=(
            Action(
                "See what is largest",
                psql(
                    "select oid::regclass, pg_size_pretty(pg_total_relation_size(oid)) "
                    "from pg_class where relkind in ('r', 'm') "
                    "order by pg_total_relation_size(oid) desc limit 10"
                ),
            ),
        )
        if status is not Status.OK
        else (),
    )


def _growth(facts: Facts) -> tuple[float | None, float]:
    """Per cent a day, and the seconds between the readings; None where there are no two."""
    before = facts.earlier.measured.get("bytes") if facts.earlier else None
    if facts.earlier is None or isinstance(before, bool) or not isinstance(before, int | float):
        return None, 0
    apart = (facts.as_of - facts.earlier.as_of).total_seconds()
    if apart < _APART_S or before <= 0:
        return None, 0
    grown = facts.bytes - before
    if abs(grown) < _NOTHING:
        return 0.0, apart
    return 100 * grown / before * _DAY_S / apart, apart


def size_text(size: float) -> str:
    """Bytes as a person reads them.

    >>> size_text(7_706_303)
    '7.3 MiB'
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _name(name: str) -> str:
    return shortened(harmless(name), 60)


CHECK = Check(
    title="Size and growth of the database",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-54", "S3-46"),
    deep=True,
)
