"""The configuration's own checks: what may be written, what is asked, what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.checks import ids_in, named, select
from payops.checks.own import own_check, own_ids
from payops.checks.own_judge import Rows, Value
from payops.domain.json_pointer import pointed
from payops.domain.result import CheckResult
from payops.errors import ConfigError, Failure, NotConfiguredError, SourceError, UsageError
from payops.sources.http import HttpAnswer
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_money,
    assert_ok,
    assert_unknown,
    assert_warn,
    fake_context,
    settings,
)

ROWS = {"title": "No row", "sql": "SELECT 1"}
VALUE = {"title": "A value", "sql": "SELECT 1", "measure": "value"}


def judged(answer: Any, **check: Any) -> CheckResult:
    """What the check `own.x` of this configuration says of an answer."""
    made = own_check("own.x", settings(checks={"x": check}))
    return made.judge(answer, made.limits)


def rows(*found: Mapping[str, object], more: bool = False) -> Rows:
    return Rows(NOW, found, more)


# ── what may be written ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"title": "x"}, "one of sql, http and redis asks the question, not none"),
        ({**ROWS, "redis": "DBSIZE"}, "not sql and redis"),
        ({"title": " ", "sql": "SELECT 1"}, "is empty"),
        ({"sql": "SELECT 1"}, "required key 'title'"),
        ({"title": "x", "sql": "DELETE FROM payments"}, "is one SELECT"),
        ({"title": "x", "sql": "-- SELECT\nUPDATE payments SET a = 1"}, "is one SELECT"),
        ({"title": "x", "sql": "SELECT %(sinse)s"}, "there is no %(sinse)s, only %(since)s"),
        ({"title": "x", "redis": "DEL key"}, "begins with one of GET, LLEN"),
        ({"title": "x", "redis": "KEYS *"}, "begins with one of GET, LLEN"),
        ({"title": "x", "redis": "LLEN", "warn": 1}, "LLEN takes one key"),
        ({"title": "x", "redis": "DBSIZE key", "warn": 1}, "DBSIZE takes no key"),
        ({"title": "x", "redis": "DBSIZE"}, "nothing is judged without warn or crit"),
        (VALUE, "nothing is judged without warn or crit"),
        ({"title": "x", "http": {"url": "ftp://x"}}, "begins with http://"),
        ({"title": "x", "http": {"url": "http://x", "pointer": "a"}}, "begins with /"),
        ({**VALUE, "warn": 1, "money": {"column": "a"}}, "needs sql and measure: rows"),
        ({"title": "x", "http": {"url": "http://x"}, "needs": ["t"]}, "names tables"),
        ({**ROWS, "timeout": 0}, "must be longer than nothing"),
        ({**ROWS, "wrn": 1}, "did you mean 'warn'?"),
        ({**ROWS, "unit": "seconds"}, "seconds"),
    ],
)
def test_what_may_not_be_written(check: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(checks={"x": check})
    assert words in f"{raised.value} {raised.value.hint}"
    assert "checks" in str(raised.value)


@pytest.mark.parametrize("name", ["Big", "a b", "a.b", "-a", "", "ä", "x" * 64, "a\n"])
def test_a_name_that_is_no_id_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is no name"):
        settings(checks={name: ROWS})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select 1;",
        "-- why\nWITH a AS (SELECT 1) SELECT * FROM a",
        "/* why */ VALUES (1)",
        "TABLE payments",
        "(SELECT 1) UNION (SELECT 2)",
    ],
)
def test_every_way_to_begin_a_select(sql: str) -> None:
    assert settings(checks={"x": {"title": "x", "sql": sql}}).checks["x"].sql == sql


@pytest.mark.parametrize(
    ("limits", "path", "words"),
    [
        ({"warn": "many"}, "checks.x.warn", "'many' is not a number of count"),
        ({"crit": "5m"}, "checks.x.crit", "is not a number of count"),
        ({"warn": 10, "crit": 5}, "checks.x", "warn 10 lies beyond crit 5"),
        ({"warn": 5, "crit": 10, "worse": "lower"}, "checks.x", "lower is worse"),
    ],
)
def test_limits_that_are_wrong_are_told_with_their_place(
    limits: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        named(["own.x"], settings(checks={"x": {**ROWS, **limits}}))
    assert raised.value.path == path
    assert words in f"{raised.value.message} {raised.value.hint}"


def test_they_stand_behind_payops_own_and_can_be_chosen() -> None:
    configured = settings(checks={"b": ROWS, "a": {**ROWS, "source": "S1-22 and S1-23: odd ones"}})
    assert own_ids(configured) == ("own.b", "own.a")
    known = ids_in(configured)
    assert known[-2:] == ("own.b", "own.a")
    assert select(["own.*"], [], known) == select(["own"], [], known) == ("own.b", "own.a")
    assert select([], ["own.b"], known)[-1] == "own.a"
    with pytest.raises(UsageError) as raised:
        select(["own.c"], [], known)
    assert "own." in raised.value.hint
    with pytest.raises(UsageError) as raised:
        select(["own.*"], [])
    assert "no checks of its own" in raised.value.hint
    assert own_check("own.a", configured).rows == ("S1-22", "S1-23")


def test_thresholds_override_theirs_too() -> None:
    configured = settings(
        checks={"x": {**ROWS, "warn": 5}}, thresholds={"own.x": {"count": {"crit": 9}}}
    )
    (check,) = named(["own.x"], configured)
    assert (check.limits["count"].warn, check.limits["count"].crit) == (5, 9)
    assert check.limits["count"].source == "configuration"
    with pytest.raises(ConfigError) as raised:
        named([], settings(checks={"x": ROWS}, thresholds={"own.y": {}}))
    assert "did you mean 'own.x'?" in raised.value.hint


# ── what an answer means ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("limits", "count", "status"),
    [
        ({}, 0, "OK"),
        ({}, 1, "WARN"),
        ({"crit": 0}, 1, "CRIT"),
        ({"crit": 0}, 0, "OK"),
        ({"warn": 2, "crit": 4}, 2, "OK"),
        ({"warn": 2, "crit": 4}, 3, "WARN"),
        ({"warn": 2, "crit": 4}, 4, "WARN"),
        ({"warn": 2, "crit": 4}, 5, "CRIT"),
        ({"warn": 3, "worse": "lower"}, 3, "OK"),
        ({"warn": 3, "worse": "lower"}, 2, "WARN"),
        ({"warn": None, "crit": None}, 5, "OK"),
    ],
)
def test_rows_around_each_limit(limits: dict[str, Any], count: int, status: str) -> None:
    result = judged(rows(*({"id": n} for n in range(count))), **ROWS, **limits)
    assert_is(status, result, f"{count} found" if count else "none found")
    assert result.measured == {"count": count}
    assert len(result.evidence) == min(count, 5)


@pytest.mark.parametrize(
    ("value", "check", "status", "words"),
    [
        (95, {"warn": "95%", "worse": "lower", "unit": "%"}, "OK", "95 %"),
        (94.9, {"warn": "95%", "worse": "lower", "unit": "%"}, "WARN", "94.9 % (WARN below 95 %)"),
        (1800, {"warn": "30m", "crit": "1h", "unit": "s"}, "OK", "30 min"),
        (1801, {"warn": "30m", "crit": "1h", "unit": "s"}, "WARN", "(WARN above 30 min)"),
        (3601, {"warn": "30m", "crit": "1h", "unit": "s"}, "CRIT", "(CRIT above 1 h"),
        (2**40, {"crit": 2**40 - 1, "unit": "bytes"}, "CRIT", "1,099,511,627,776 bytes"),
        (Decimal("10.00"), {"warn": 9}, "WARN", "10 (WARN above 9)"),
        ("12", {"warn": 9}, "WARN", "12"),
        (" 1e2 ", {"warn": 100}, "OK", "100"),
        (True, {"warn": 0}, "WARN", "1"),
        (False, {"warn": 0}, "OK", "0"),
        (None, {"warn": 0}, "UNKNOWN", "the query gave no value"),
        ("many", {"warn": 0}, "UNKNOWN", "no number but 'many'"),
        ("NaN", {"warn": 0}, "UNKNOWN", "no number"),
        ("Infinity", {"warn": 0}, "UNKNOWN", "no number"),
        ("1e999", {"warn": 0}, "UNKNOWN", "no number"),
        (10**400, {"warn": 0}, "UNKNOWN", "no number"),
        (-(10**400), {"warn": 0}, "UNKNOWN", "no number"),
        (10**299, {"crit": 0}, "CRIT", "CRIT above 0"),
        (5, {"warn": None}, "OK", "5"),
    ],
)
def test_a_value_around_each_limit(
    value: object, check: dict[str, Any], status: str, words: str
) -> None:
    assert_is(status, judged(Value(NOW, value, (), "value"), **VALUE, **check), words)


def test_what_to_do_is_said_when_it_is_not_well_alone() -> None:
    check = {**ROWS, "action": "Call the till", "command": "payops reconcile --since 24h"}
    (action,) = judged(rows({"id": 1}), **check).actions
    assert (action.text, action.command) == ("Call the till", "payops reconcile --since 24h")
    assert judged(rows(), **check).actions == ()


@pytest.mark.parametrize(
    ("money", "found", "expected"),
    [
        ({"column": "a"}, [{"a": 1999}, {"a": 1}], ["20.00 USD (2)"]),
        ({"column": "a", "unit": "major"}, [{"a": Decimal("19.99")}], ["19.99 USD (1)"]),
        ({"column": "a", "unit": "major", "currency": "jpy"}, [{"a": 7}], ["7 JPY (1)"]),
        (
            {"column": "a", "currency_column": "c"},
            [{"a": 5, "c": "EUR"}, {"a": 7, "c": None}, {"a": 1, "c": "eur"}],
            ["0.06 EUR (2)", "0.07 USD (1)"],
        ),
        ({"column": "a"}, [{"a": Decimal("1.5")}, {"a": 2}], ["0.02 USD (1)"]),
        ({"column": "a"}, [{"a": None}, {"b": 2}, {"a": "x"}, {"a": True}], []),
    ],
)
def test_money_at_risk(money: dict[str, Any], found: list[Any], expected: list[str]) -> None:
    result = judged(rows(*found), **ROWS, money=money)
    assert_money(result, *expected)
    counted = sum(one.count for one in result.money_at_risk)
    unread = len(found) - counted
    assert (f"{unread:,} without a usable amount" in result.summary) == bool(unread)


def test_more_rows_than_are_looked_at_are_told() -> None:
    assert_warn(judged(rows({"id": 1}, more=True), **ROWS), "more than 1 found")


def test_what_is_healthy_has_no_money_at_risk() -> None:
    result = judged(rows({"a": 100}), **ROWS, warn=5, money={"column": "a"})
    assert_ok(result)
    assert_money(result)


@given(
    st.dictionaries(st.text(max_size=20), st.none() | st.text() | st.integers() | st.decimals()),
    st.integers(0, 12),
)
def test_any_row_makes_a_result(row: dict[str, object], count: int) -> None:
    result = judged(rows(*[row] * count), **ROWS, money={"column": "a", "currency_column": "b"})
    assert_is("WARN" if count else "OK", result)
    for evidence in result.evidence:
        assert len(evidence.detail) <= 12
        assert all(len(str(value)) < 5000 for value in evidence.detail.values())


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


class Http:
    """An address with one answer."""

    def __init__(self, status: int = 200, body: bytes = b"{}", location: str = "") -> None:
        self.given = (status, body, location)
        self.asked: list[tuple[str, dict[str, str]]] = []

    def request(self, method: str, url: str, **options: Any) -> HttpAnswer:
        assert (method, options["timeout"] <= 2) == ("GET", True)
        self.asked.append((url, options["headers"]))
        status, body, location = self.given
        return HttpAnswer(url, status, {}, body, False, 40.0, NOW, location)


def asked(check: dict[str, Any], *, base: str = "", **sources: Any) -> CheckResult:
    """The check's answer as the runner would get it."""
    configured = settings(checks={"x": {"title": "x", **check}}, app={"base_url": base})
    made = own_check("own.x", configured)
    return made.judge(made.gather(fake_context(configured, **sources)), made.limits)


@pytest.mark.parametrize(
    ("http", "more", "answer", "status", "words"),
    [
        ({}, {}, Http(), "OK", "40 ms"),
        ({}, {"warn": 30}, Http(), "WARN", "40 ms (WARN above 30 ms)"),
        ({}, {"crit": "39ms"}, Http(), "CRIT", "(CRIT above 39 ms)"),
        ({}, {}, Http(500), "CRIT", "it answers 500 instead of 200"),
        ({"expect": [200, 401]}, {}, Http(401), "OK", "40 ms"),
        ({}, {"otherwise": "WARN"}, Http(301, location="https://x"), "WARN", "301 to https://x"),
        ({"contains": "breaker"}, {}, Http(body=b"# breaker 1"), "OK", "40 ms"),
        ({"contains": "breaker"}, {}, Http(body=b""), "CRIT", "its body has no 'breaker'"),
        ({"pointer": "/q/0"}, {"warn": 5}, Http(body=b'{"q": [6]}'), "WARN", "6 (WARN above 5)"),
        ({"pointer": "/q"}, {"warn": 5}, Http(body=b'{"q": [1, 2]}'), "OK", "2"),
        ({"pointer": "/q"}, {"warn": 5}, Http(body=b'{"q": "7.5"}'), "WARN", "7.5"),
        ({"pointer": "/no"}, {"warn": 5}, Http(), "CRIT", "its JSON has nothing at /no"),
        ({"pointer": "/q"}, {"warn": 5}, Http(body=b'{"q": {}}'), "UNKNOWN", "no number"),
        ({"pointer": "/q"}, {"warn": 5}, Http(body=b'{"q": %s}' % (b"9" * 5000)), "UNKNOWN", "no"),
        ({"pointer": "/q"}, {"warn": 5}, Http(503), "CRIT", "answers 503"),
    ],
)
def test_http(
    http: dict[str, Any], more: dict[str, Any], answer: Http, status: str, words: str
) -> None:
    check = {"http": {"url": "https://shop.example/x", **http}, **more}
    assert_is(status, asked(check, http=answer), words)


def test_http_headers_are_sent_and_never_shown() -> None:
    answer = Http()
    check = {"http": {"url": "/metrics", "headers": {"Authorization": "Bearer abc-123"}}}
    result = asked(check, base="https://shop.example/", http=answer)
    assert answer.asked == [("https://shop.example/metrics", {"Authorization": "Bearer abc-123"})]
    assert "abc-123" not in repr(result)
    assert "abc-123" not in repr(settings(checks={"x": {"title": "x", **check}}))


def test_http_of_a_path_needs_to_know_where_the_application_is() -> None:
    with pytest.raises(NotConfiguredError, match=r"app\.base_url"):
        asked({"http": {"url": "/metrics"}}, http=Http())


def test_http_that_is_no_json_is_a_failure_of_the_source() -> None:
    with pytest.raises(SourceError) as raised:
        asked({"http": {"url": "http://x", "pointer": "/a"}, "warn": 1}, http=Http(body=b"<html>"))
    assert raised.value.kind is Failure.BAD_ANSWER


@pytest.mark.parametrize(
    ("command", "said", "sent", "status", "words"),
    [
        ("LLEN celery", 101, ("LLEN", "celery"), "WARN", "101"),
        ("llen celery", 100, ("LLEN", "celery"), "OK", "100"),
        ("DBSIZE", 7, ("DBSIZE",), "OK", "7"),
        ("GET a key", b"101", ("GET", "a key"), "WARN", "101"),
        ("GET a", b" 12.5\n", ("GET", "a"), "OK", "12.5"),
        ("GET a", None, ("GET", "a"), "OK", "0"),
        ("GET a", b"sk_live_secret", ("GET", "a"), "UNKNOWN", "the answer is no number"),
        ("GET a", b"1" * 100, ("GET", "a"), "UNKNOWN", "the answer is no number"),
        ("TTL a", -1, ("TTL", "a"), "OK", "-1"),
    ],
)
def test_redis(command: str, said: object, sent: tuple[str, ...], status: str, words: str) -> None:
    calls: list[tuple[str, ...]] = []
    redis = SimpleNamespace(answer=lambda *given: (calls.append(given), said)[1])
    result = asked({"redis": command, "warn": 100}, redis=redis)
    assert_is(status, result, words)
    assert calls == [sent]
    assert "secret" not in repr(result)


def test_redis_that_is_not_used_here_is_no_fault() -> None:
    with pytest.raises(NotConfiguredError):
        asked({"redis": "DBSIZE", "warn": 1})


def test_a_key_of_another_type_says_what_to_look_at() -> None:
    def answer(*given: str) -> None:
        raise SourceError("redis", Failure.REJECTED, "WRONGTYPE Operation", hint="correct the URL")

    with pytest.raises(SourceError) as raised:
        asked({"redis": "LLEN a", "warn": 1}, redis=SimpleNamespace(answer=answer))
    assert "another type than LLEN" in raised.value.hint


@pytest.mark.parametrize(
    ("document", "pointer", "expected"),
    [
        ({"a": 1}, "", {"a": 1}),
        ({"": 1}, "/", 1),
        ({"a/b": 1, "m~n": 2}, "/a~1b", 1),
        ({"a/b": 1, "m~n": 2}, "/m~0n", 2),
        ([[1, 2]], "/0/1", 2),
        ({"0": "x"}, "/0", "x"),
    ],
)
def test_pointed(document: object, pointer: str, expected: object) -> None:
    assert pointed(document, pointer) == expected


@pytest.mark.parametrize("pointer", ["/b", "/a/x", "/l/2", "/l/-1", "/l/01", "/l/²", "/a/0"])
def test_pointed_at_nothing(pointer: str) -> None:
    with pytest.raises(KeyError):
        pointed({"a": 1, "l": [1, 2]}, pointer)


def test_crit_and_unknown_are_told_apart() -> None:
    assert_crit(judged(Value(NOW, 9, (), "value"), **VALUE, crit=5))
    assert_unknown(judged(Value(NOW, None, (), "value"), **VALUE, crit=5), "coalesce")
