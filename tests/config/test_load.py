"""What is wrong is told with file, line, path and the nearest key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from payops.config.load import read, settings_from
from payops.errors import ConfigError
from tools import LEDGER, settings

Written = Callable[..., Path]

BROKEN = [
    # (file, line, path, message, hint)
    ("strip: {}", 1, "strip", "unknown key 'strip'", "did you mean 'stripe'?"),
    ("environment: x\nzzz: 1", 2, "zzz", "unknown key 'zzz'", "known here: app, apply, checks"),
    ("1: 2", 1, "1", "unknown key '1'", "known here"),
    (
        "stripe:\n  secret_key: x\n  timeuot: 3s",
        3,
        "stripe.timeuot",
        "unknown key 'timeuot'",
        "did you mean 'timeout'?",
    ),
    (
        "app:\n  endpoints:\n    - url: a\n    - ulr: b",
        4,
        "app.endpoints[1].ulr",
        "unknown key 'ulr'",
        "did you mean 'url'?",
    ),
    (
        "preset: reference\nledgers:\n  payments:\n    columns:\n      procesor_ref: x",
        5,
        "ledgers.payments.columns.procesor_ref",
        "unknown key",
        "'processor_ref'",
    ),
    (
        "preset: reference\nledgers:\n  payments:\n    statuses:\n      paid: [x]",
        5,
        "ledgers.payments.statuses.paid",
        "unknown key 'paid'",
        "known here: canceled, ",  # not `failed`, however alike the letters
    ),
    (
        "preset: reference\nledgers:\n  payments:\n    amount_unit: majr",
        4,
        "ledgers.payments.amount_unit",
        "invalid enum value 'majr'",
        "one of major, minor",
    ),
    ("unreachable: DOWN", 1, "unreachable", "invalid enum value 'DOWN'", "CRIT, UNKNOWN, WARN"),
    (
        "thresholds:\n  payments.stuck-pending:\n    age: {warm: 5m}",
        3,
        "thresholds.payments.stuck-pending.age.warm",
        "unknown key 'warm'",
        "did you mean 'warn'?",
    ),
    ("stripe:\n  timeout: 3s", 1, "stripe", "required key 'secret_key' of stripe is missing", ""),
    ("stripe:\n  secret_key: ''", 2, "stripe.secret_key", "is empty", ""),
    ("stripe:\n  secret_key: 12", 2, "stripe.secret_key", "expected text", ""),
    ("stripe:\n  secret_key: [a]", 2, "stripe.secret_key", "expected text", ""),
    ("postgres: {dsn: null}", 1, "postgres", "required key 'dsn'", ""),
    ("redis: redis://h", 1, "redis", "expected a mapping", ""),
    ("ledgers: []", 1, "ledgers", "expected a mapping, got a list", ""),
    (
        "redis:\n  url: x\n  timeout: soon",
        3,
        "redis.timeout",
        "'soon' is not a duration",
        "",
    ),
    ("redis:\n  url: x\n  timeout: -3", 3, "redis.timeout", "is not a duration", ""),
    ("redis:\n  url: x\n  timeout: .inf", 3, "redis.timeout", "is not a duration", ""),
    ("redis:\n  url: x\n  timeout: true", 3, "redis.timeout", "expected a duration", ""),
    ("redis:\n  url: x\n  timeout: 0", 3, "redis.timeout", "must be longer than nothing", ""),
    (
        "postgres:\n  dsn: x\n  lock_timeout: 0s",
        3,
        "postgres.lock_timeout",
        "must be longer than nothing",
        "",
    ),
    ("unreachable: crit", 1, "unreachable", "invalid enum value 'crit'", ""),
    ("environment: 5", 1, "environment", "expected str, got int", "put it in quotes"),
    ("environment: no", 1, "environment", "expected str, got bool", "put it in quotes"),
    (
        "stripe:\n  secret_key: x\n  max_requests_per_second: 500",
        3,
        "stripe.max_requests_per_second",
        "expected float <= 100.0",
        "",
    ),
    (
        "app:\n  endpoints:\n    - url: x\n      expect: [200, ok]",
        4,
        "app.endpoints[0].expect[1]",
        "expected int, got str",
        "",
    ),
    ("preset: referense", 1, "preset", "there is no preset", "did you mean 'reference'?"),
    ("preset: zzz", 1, "preset", "there is no preset 'zzz'", "presets: "),
    ("preset: [reference]", 1, "preset", "there is no preset", ""),
    ("preset: ../settings", 1, "preset", "there is no preset", ""),
    (
        "preset: reference\nledgers:\n  payments:\n    timezone: Europe/Berln",
        4,
        "ledgers.payments.timezone",
        "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        "",
    ),
    (
        "preset: reference\nledgers:\n  payments:\n    table: ' '",
        4,
        "ledgers.payments.table",
        "is empty",
        "",
    ),
    (
        "preset: reference\nledgers:\n  payments:\n    statuses:\n      failed: [failed, pending]",
        5,
        "ledgers.payments.statuses.failed",
        "'pending' stands under pending already",
        "",
    ),
    (
        "preset: reference\nevent_logs:\n  stripe:\n    timezone: CEST",
        4,
        "event_logs.stripe.timezone",
        "there is no time zone 'CEST'",
        "",
    ),
    (
        "circuit:\n  breakers:\n  - {name: a, keys: {state: s}}\n  - {name: a, keys: {state: t}}",
        2,
        "circuit.breakers",
        "two are named 'a'",
        "",
    ),
    (
        "circuit:\n  breakers:\n  - {name: a, keys: {state: s}, failure_threshold: 0}",
        3,
        "circuit.breakers[0].failure_threshold",
        "expected int >= 1",
        "",
    ),
]


@pytest.mark.parametrize(("text", "line", "path", "message", "hint"), BROKEN)
def test_broken_files(
    text: str, line: int, path: str, message: str, hint: str, written: Written
) -> None:
    file = written(text + "\n")
    with pytest.raises(ConfigError) as raised:
        read(file, {})
    error = raised.value
    assert message in error.message
    assert hint in error.hint
    assert (error.file, error.line, error.path) == (str(file), line, path)
    assert str(error).startswith(f"{file}:{line}: {path}: ")
    assert "`" not in error.message
    assert "[...]" not in error.path


def test_the_entry_that_is_wrong_is_named_among_several(written: Written) -> None:
    file = written(
        "ledgers:\n"
        "  good: {table: a, columns: {id: a, status: b, amount: c, created_at: d}, statuses: {}}\n"
        "  bad: {table: a, columns: {id: a, status: b, amount: c}, statuses: {}}\n"
    )
    with pytest.raises(ConfigError, match="'created_at'") as raised:
        read(file, {})
    assert (raised.value.path, raised.value.line) == ("ledgers.bad.columns", 3)


@pytest.mark.parametrize("zone", ["UTC", "utc", "Europe/Berlin", "Asia/Ho_Chi_Minh", "Etc/GMT+3"])
def test_time_zones(zone: str) -> None:
    assert settings(ledgers={"payments": {**LEDGER, "timezone": zone}}).ledgers


@pytest.mark.parametrize("zone", ["", "Berlin", "America", "../../etc/passwd", "/etc/passwd", "\0"])
def test_what_is_no_time_zone(zone: str) -> None:
    with pytest.raises(ConfigError, match="there is no time zone"):
        settings(ledgers={"payments": {**LEDGER, "timezone": zone}})


def test_without_a_database_of_zones_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo

    zoneinfo.ZoneInfo.clear_cache()
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert settings(ledgers={"payments": {**LEDGER, "timezone": "Mars/Olympus"}}).ledgers


def test_one_value_twice_under_one_word_is_harmless() -> None:
    assert settings(ledgers={"p": {**LEDGER, "statuses": {"pending": ["new", "new"]}}}).ledgers


@pytest.mark.parametrize("column", ["id", "status", "amount", "created_at"])
def test_columns_that_no_query_can_do_without(column: str) -> None:
    columns = {**LEDGER["columns"], column: ""}
    with pytest.raises(ConfigError) as raised:
        settings(ledgers={"payments": {**LEDGER, "columns": columns}})
    assert raised.value.path == f"ledgers.payments.columns.{column}"


def test_the_ledger_that_health_looks_at() -> None:
    assert settings().payments is None
    ledgers = {"r": {**LEDGER, "kind": "refunds"}, "p": {**LEDGER, "table": "mine"}, "q": LEDGER}
    found = settings(ledgers=ledgers).payments
    assert found is not None
    assert found.table == "mine"
    assert settings(ledgers={"r": {**LEDGER, "kind": "external"}}).payments is None


@pytest.mark.parametrize("raw", [None, [], "x", 5])
def test_what_is_no_mapping(raw: object) -> None:
    with pytest.raises(ConfigError, match="is not a mapping"):
        settings_from(raw)


def test_numbers_from_the_environment_are_text_that_is_read(written: Written) -> None:
    file = written("stripe: {secret_key: x, max_requests_per_second: '${RATE}', timeout: '${T}'}\n")
    found = read(file, {"RATE": "2.5", "T": "1500ms"}).stripe
    assert found is not None
    assert (found.max_requests_per_second, found.timeout) == (2.5, 1.5)
