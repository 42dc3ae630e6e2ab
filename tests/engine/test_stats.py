"""`payops stats`: its windows, what it judges, its tables; on a real Postgres, exact."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from payops.checks.ledger import Tally
from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.money import Money
from payops.domain.report import Report
from payops.domain.status import Status
from payops.domain.table import Table
from payops.engine.stats import stats
from payops.engine.stats_judged import (
    judge_errors,
    judge_latency,
    judge_success,
    judge_targets,
    share,
)
from payops.engine.stats_limits import STATS, TARGETS
from payops.engine.stats_numbers import Numbers
from payops.engine.stats_spans import period, recent
from payops.errors import ConfigError, UsageError
from payops.formats import FORMATS, render
from payops.lab.servers.postgres import PostgresServer
from payops.sources.ledger_stats import Latency
from tools import LEDGER, assert_is, assert_ok, assert_skip, assert_unknown, assert_warn
from tools import settings as plain_settings

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


# ── windows ──────────────────────────────────────────────────────────────────────────────────────


def test_three_windows_and_the_one_that_is_drawn() -> None:
    spans = recent(NOW, NOW - 24 * HOUR, "hour")
    assert [span.name for span in spans.all] == ["1h", "24h", "7d"]
    assert spans.judged.name == "1h"
    assert spans.shown.name == "24h"
    assert spans.buckets()[0] == datetime(2026, 2, 10, 9, tzinfo=UTC)
    assert spans.buckets()[-1] == datetime(2026, 2, 11, 9, tzinfo=UTC)
    assert len(spans.buckets()) == 25


@pytest.mark.parametrize(
    ("hours", "name"),
    [(6, "6h"), (72, "3d"), (1.5, "90m"), (0.0125, "45s"), (24.71, "since"), (48, "2d")],
)
def test_another_window_stands_among_them(hours: float, name: str) -> None:
    spans = recent(NOW, NOW - hours * HOUR, "day")
    assert spans.shown.name == name
    assert len(spans.all) == 4
    assert [span.window.length for span in spans.all] == sorted(
        span.window.length for span in spans.all
    )


@pytest.mark.parametrize("now", [NOW, NOW.replace(hour=0, minute=0), NOW.replace(hour=23)])
def test_a_report_is_of_whole_days_whenever_it_is_made(now: datetime) -> None:
    spans = period(now, "weekly", "day")
    midnight = datetime(2026, 2, 11, tzinfo=UTC)
    assert spans.shown.window.until == midnight
    assert [span.name for span in spans.all] == ["this", "before"]
    assert spans.all[1].window.until == spans.shown.window.since == midnight - 168 * HOUR
    assert len(spans.buckets()) == 7
    assert len(period(now, "monthly", "day").buckets()) == 30
    assert spans.shown.title == "2026-02-04 to 2026-02-11"


# ── what is judged ───────────────────────────────────────────────────────────────────────────────


def numbers(
    paid: int = 0, ours: int = 0, declined: int = 0, unknown: int = 0, **latency: float
) -> Numbers:
    """So many payments of the last hour, which took `average` and `p95` milliseconds."""
    counted = Tally(
        paid=paid,
        declined=declined,
        ours=ours,
        undecided=0,
        unknown=unknown,
        money=(),
        since=NOW if ours else None,
        reasons={"api_error": ours} if ours else {},
        unknown_words=("odd",) if unknown else (),
    )
    ledger = plain_settings(ledgers={"payments": LEDGER}).payments
    assert ledger is not None
    timed = Latency(
        int(latency.get("count", paid)),
        0,
        latency.get("average"),
        latency.get("average"),
        latency.get("p95"),
        latency.get("p95"),
    )
    return Numbers(
        ledger,
        recent(NOW, NOW - 24 * HOUR, "hour"),
        NOW,
        tallies={"1h": counted, "this": counted},
        latency={"1h": timed, "this": timed},
    )


@pytest.mark.parametrize(
    ("paid", "ours", "status", "words"),
    [
        (100, 0, "OK", "100 % of 100 payments"),
        (95, 5, "OK", "95 %"),
        (949, 51, "WARN", "94.9 %"),
        (90, 10, "WARN", "90 %"),
        (899, 101, "CRIT", "89.9 %"),
        (2, 2, "WARN", "too few to be sure"),
        (0, 0, "OK", "7 declined by the issuer"),
        (9999, 1, "OK", "99.9 %"),
    ],
)
def test_success(paid: int, ours: int, status: str, words: str) -> None:
    found = numbers(paid, ours, declined=7)
    assert_is(status, judge_success(found, STATS["stats.success-rate"]), words)


@pytest.mark.parametrize(
    ("paid", "ours", "status", "words"),
    [
        (98, 2, "OK", "2 % of 100 payments"),
        (979, 21, "WARN", "2.1 %"),
        (90, 10, "WARN", "10 % of 100 payments"),
        (899, 101, "CRIT", "10.1 %"),
        (3, 1, "WARN", "too few"),
        (9999, 1, "OK", "0.1 %"),
    ],
)
def test_errors(paid: int, ours: int, status: str, words: str) -> None:
    assert_is(status, judge_errors(numbers(paid, ours), STATS["stats.error-rate"]), words)


def test_a_status_that_nobody_mapped_is_told() -> None:
    for judge, id_ in ((judge_success, "stats.success-rate"), (judge_errors, "stats.error-rate")):
        result = judge(numbers(9, unknown=2), STATS[id_])
        assert_warn(result, "2 have a status that is not mapped: 'odd'")


@pytest.mark.parametrize(
    ("count", "p95", "status"),
    [(10, 10_000, "OK"), (10, 10_001, "WARN"), (4, 60_000, "OK"), (5, 60_000, "WARN")],
)
def test_latency(count: int, p95: float, status: str) -> None:
    found = numbers(count, average=1_000, p95=p95)
    assert_is(status, judge_latency(found, STATS["stats.latency"]), "p95")


def test_latency_of_nothing() -> None:
    assert_ok(judge_latency(numbers(), STATS["stats.latency"]), "nothing to judge")


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        ({"average": 3_000, "p95": 5_000}, []),
        ({"average": 3_001, "p95": 5_000}, ["average (target below 3 s)"]),
        ({"average": 3_000, "p95": 5_001}, ["p95 (target below 5 s)"]),
        ({"ours": 3, "average": 1, "p95": 1}, ["success (target above 98 %)"]),
    ],
)
def test_targets(given: dict[str, Any], missed: list[str]) -> None:
    from dataclasses import replace

    found = numbers(paid=98, **given)
    found = replace(found, spans=period(NOW, "weekly", "day"))
    result = judge_targets(found, TARGETS["stats.targets"])
    assert_is("WARN" if missed else "OK", result, *(missed or ["all targets reached"]))


def test_rounding_is_towards_the_worse() -> None:
    assert share(9999, 10_000) == 99.9
    assert share(1, 10_000, up=True) == 0.1
    assert share(0, 5, up=True) == 0
    assert share(1, 0) is None


# ── on a database ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def dsn(server: PostgresServer) -> Iterator[str]:
    name = f"stats_{secrets.token_hex(4)}"
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name}".encode())
        dsn = server.dsn.rpartition("/")[0] + f"/{name}"
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(_ROWS)
        yield dsn
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


# By the database's own clock: each row is so many minutes old.
_ROWS = b"""
CREATE TABLE payments (id serial PRIMARY KEY, status text, amount bigint, currency text, code text,
                       customer text, created_at timestamptz, completed_at timestamptz);
INSERT INTO payments (status, amount, currency, code, customer, created_at, completed_at)
SELECT kind.status, kind.amount, kind.currency, kind.code, kind.customer, made,
       made + kind.took * interval '1 s'
FROM (VALUES
    (5, 'paid', 1000, 'usd', NULL, 'a', 1.0), (10, 'paid', 501, 'usd', NULL, 'b', 3.0),
    (12, 'paid', 700, 'jpy', NULL, 'b', 2.0), (15, 'failed', 900, 'usd', 'expired_card', 'c', NULL),
    (20, 'failed', 800, 'usd', 'api_error', 'c', NULL), (25, 'new', 1, 'usd', NULL, 'd', NULL),
    (120, 'paid', 1500, 'kwd', NULL, 'e', 4.0), (180, 'odd', 5, 'usd', NULL, 'e', NULL),
    (2000, 'paid', 100, 'usd', NULL, 'f', 9.0), (20000, 'paid', 100, 'usd', NULL, 'f', 9.0)
) AS kind (minutes, status, amount, currency, code, customer, took),
LATERAL (SELECT now() - kind.minutes * interval '1 min' AS made) AS at;
"""


def configured(dsn: str, **more: Any) -> Settings:
    columns = {
        "id": "id",
        "status": "status",
        "amount": "amount",
        "currency": "currency",
        "created_at": "created_at",
        "completed_at": "completed_at",
        "failure_code": "code",
        "customer_id": "customer",
    }
    statuses = {"pending": ["new"], "succeeded": ["paid"], "failed": ["failed"]}
    ledger = {"table": "payments", "columns": columns, "statuses": statuses}
    given = {"postgres": {"dsn": dsn}, "ledgers": {"payments": ledger}, **more}
    return settings_from(given)


def asked(dsn: str, **more: Any) -> Report:
    options = {name: more.pop(name) for name in ("report", "ledger") if name in more}
    return stats(configured(dsn, **more), 24 * HOUR, "hour", Deadline.after(20), **options)


def table(report: Report, id_: str) -> Table:
    return next(one for one in report.tables if one.id == id_)


def test_windows_side_by_side(dsn: str) -> None:
    report = asked(dsn)
    rows = table(report, "windows").rows
    #                 all paid declined failed open unmapped success errors
    assert rows[0] == ("1h", 6, 3, 1, 1, 1, 0, 75.0, 16.7)
    assert rows[1] == ("24h", 8, 4, 1, 1, 1, 1, 80.0, 14.3)
    assert rows[2] == ("7d", 9, 5, 1, 1, 1, 1, 83.3, 12.5)
    assert {check.id: check.status for check in report.checks} == {
        "stats.success-rate": Status.WARN,  # 75 % of four: too few for CRIT
        "stats.error-rate": Status.CRIT,
        "stats.latency": Status.OK,
    }


def test_money_and_average_size_by_currency(dsn: str) -> None:
    rows = table(asked(dsn), "money").rows
    assert rows[:2] == (
        ("1h", "jpy", 1, Money("jpy", 700), Money("jpy", 700), 0),
        ("1h", "usd", 2, Money("usd", 1501), Money("usd", 751), 0),  # 750.5, half up
    )
    assert rows[2] == ("24h", "jpy", 1, Money("jpy", 700), Money("jpy", 700), 0)
    assert rows[3] == ("24h", "kwd", 1, Money("kwd", 1500), Money("kwd", 1500), 0)


def test_latency_declines_and_failures(dsn: str) -> None:
    report = asked(dsn)
    assert table(report, "latency").rows[0] == ("1h", 3, 2000, 2000, 2900, 3000, 0)
    declines = {row[0]: row[1:] for row in table(report, "declines").rows}
    assert declines == {
        "api_error": ("ours", 1, 1, 1, 50.0, 1),
        "expired_card": ("issuer", 1, 1, 1, 50.0, 1),
    }
    assert "1 customer met a failure" in table(report, "declines").note
    assert [row[2] for row in table(report, "failures").rows] == ["expired_card", "api_error"]


def test_every_hour_is_there_and_adds_up(dsn: str) -> None:
    series = table(asked(dsn), "series")
    assert len(series.rows) == 25
    times = [row[0] for row in series.rows]
    assert all(b - a == HOUR for a, b in pairwise(times))  # type: ignore[operator]
    assert sum(row[1] for row in series.rows) == 8  # type: ignore[misc]
    empty = [row for row in series.rows if row[1] == 0]
    assert empty
    assert all(row[6] is None and row[7] is None and row[8] == () for row in empty)


def test_an_empty_window_is_no_alarm(dsn: str) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=30)
    report = stats(configured(dsn), begin, "hour", Deadline.after(20))
    series = table(report, "series")
    assert sum(row[1] for row in series.rows) == 0  # type: ignore[misc]
    assert {plot.values for plot in report.plots if plot.id == "success_rate"} <= {
        (None,),
        (None, None),
    }


def test_a_report_stands_beside_the_period_before(dsn: str) -> None:
    report = asked(dsn, report="weekly")
    assert report.command == "stats weekly"
    assert [check.id for check in report.checks] == ["stats.targets"]
    assert [row[0] for row in table(report, "windows").rows] == ["this", "before"]
    declines = [column.key for column in table(report, "declines").columns]
    assert declines == ["code", "whose", "in_this", "in_before", "share", "customers"]


@pytest.mark.parametrize("output", sorted(FORMATS))
def test_every_output_can_be_read(dsn: str, output: str) -> None:
    text = render(asked(dsn), output, colour=False, width=80, now=NOW, ascii_only=True)
    assert text.isascii()
    if output == "json":
        found = json.loads(text)
        assert {"series", "windows", "money", "latency", "declines", "failures"} <= set(found)
        assert found["windows"][0]["success_rate"] == 75.0
        assert found["money"][1]["volume"] == {"currency": "usd", "minor": 1501}


def test_what_is_not_mapped_hides_nothing_else(dsn: str) -> None:
    ledger = {
        "table": "payments",
        "columns": {"id": "id", "status": "status", "amount": "amount", "created_at": "created_at"},
        "statuses": {"succeeded": ["paid"]},
    }
    report = asked(dsn, ledgers={"payments": ledger})
    checks = {check.id: check for check in report.checks}
    assert_skip(checks["stats.latency"], "no time of completion is mapped")
    assert table(report, "latency").note.startswith("not known:")
    assert table(report, "windows").rows[0][2] == 3


def test_a_wrong_column_is_told(dsn: str) -> None:
    ledger = {**LEDGER, "columns": {**LEDGER["columns"], "amount": "amuont"}}  # type: ignore[dict-item]
    report = asked(dsn, ledgers={"payments": ledger})
    for check in report.checks:
        assert check.status in (Status.UNKNOWN, Status.SKIP)
    assert_unknown(report.checks[0], "amuont")


def test_a_database_that_does_not_answer_is_soon_told() -> None:
    settings = configured("postgresql://payops@127.0.0.1:1/none", unreachable="WARN")
    report = stats(settings, 24 * HOUR, "hour", Deadline.after(2))
    assert [check.status for check in report.checks] == [Status.WARN] * 3
    assert report.tables == ()
    assert report.duration_ms < 2500


def test_no_ledger_is_not_configured() -> None:
    report = stats(settings_from({}), HOUR, "hour", Deadline.after(2))
    assert {check.status for check in report.checks} == {Status.SKIP}


def test_what_cannot_be_asked_is_refused(dsn: str) -> None:
    with pytest.raises(UsageError, match="no ledger of payments is named 'x'"):
        asked(dsn, ledger="x")
    with pytest.raises(UsageError, match="more than 1,000"):
        stats(configured(dsn), timedelta(days=60), "hour", Deadline.after(20))
    with pytest.raises(ConfigError, match="no limit"):
        asked(dsn, thresholds={"stats.latency": {"p99": {"warn": 1}}})


def test_limits_are_the_configurations(dsn: str) -> None:
    limits = {"stats.error-rate": {"rate": {"warn": "20%", "crit": None}}}
    checks = {check.id: check for check in asked(dsn, thresholds=limits).checks}
    assert_ok(checks["stats.error-rate"], "16.7 %")
