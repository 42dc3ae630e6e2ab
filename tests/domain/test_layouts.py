"""How breakers are kept: what is stored, in words, and what a reset or a trip would write."""

from __future__ import annotations

import contextlib
import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.breaker import BreakerState
from payops.domain.layouts import Values, layouts
from payops.domain.pickled import is_pickle, read_scalar

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
AT = NOW - timedelta(minutes=12)
EPOCH = f"{AT.timestamp():.0f}".encode()
CLOSED, OPEN, HALF = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def pickled(value: object) -> bytes:
    return pickle.dumps(value, protocol=5)


def purgatory(**given: object) -> bytes:
    return json.dumps({"name": "s", "threshold": 5, "ttl": 30, "opened_at": None, **given}).encode()


def gobreaker(state: object, expiry: str = "0001-01-01T00:00:00Z", failures: int = 0) -> bytes:
    counts = {"Requests": 9, "ConsecutiveFailures": failures, "ConsecutiveSuccesses": 0}
    made = {"state": state, "generation": 3, "counts": counts, "expiry": expiry}
    return json.dumps(made).encode()


READINGS: list[tuple[str, Values, BreakerState | None, int | None, datetime | None]] = [
    ("split", {"state": None, "failures": None}, CLOSED, None, None),
    ("split", {"state": b" OPEN ", "failures": b"7", "opened_at": EPOCH}, OPEN, 7, AT),
    ("split", {"state": b"half-open", "failures": b"x"}, HALF, None, None),
    ("split", {"state": b"ajar"}, None, None, None),
    ("split", {"state": b"(a list, not text)"}, None, None, None),
    ("django", {"state": None, "failures": b"3"}, CLOSED, 3, None),
    (
        "django",
        {"state": pickled("open"), "failures": b"5", "opened_at": pickled(AT.timestamp())},
        OPEN,
        5,
        AT,
    ),
    ("django", {"state": pickled(["open"])}, None, None, None),
    ("pybreaker", {"state": b"half-open", "failures": b"2", "opened_at": EPOCH}, HALF, 2, AT),
    ("aiobreaker", {"state": b"OPEN", "failures": b"5", "opened_at": EPOCH}, OPEN, 5, AT),
    ("aiobreaker", {"state": b"HALF_OPEN"}, HALF, None, None),
    ("purgatory", {"state": None, "failures": None}, CLOSED, None, None),
    (
        "purgatory",
        {"state": purgatory(state="opened", opened_at=AT.timestamp()), "failures": b"5"},
        OPEN,
        5,
        AT,
    ),
    ("purgatory", {"state": purgatory(state="half-opened")}, HALF, None, None),
    ("purgatory", {"state": b"[1]"}, None, None, None),
    ("gobreaker", {"state": gobreaker(0)}, CLOSED, 0, None),
    ("gobreaker", {"state": gobreaker(1)}, HALF, 0, None),
    ("gobreaker", {"state": gobreaker(2, failures=6)}, OPEN, 6, None),
    ("gobreaker", {"state": gobreaker(7)}, None, 0, None),
    ("gobreaker", {"state": gobreaker("open")}, None, None, None),
    ("gobreaker", {"state": None}, CLOSED, None, None),
    ("document", {"state": None}, CLOSED, None, None),
    (
        "document",
        {"state": b'{"state": "OPEN", "failureCount": 4, "openedAt": "2026-02-11T09:18:00Z"}'},
        OPEN,
        4,
        AT,
    ),
    (
        "document",
        {"state": b'{"status": "closed", "failure_count": "2", "last_failure_time": null}'},
        CLOSED,
        2,
        None,
    ),
    ("document", {"state": b'{"a": 1}'}, None, None, None),
    ("document", {"state": b"[" * 100_000}, None, None, None),
]


@pytest.mark.parametrize(("layout", "values", "state", "failures", "opened"), READINGS)
def test_what_is_stored(
    layout: str,
    values: Values,
    state: BreakerState | None,
    failures: int | None,
    opened: datetime | None,
) -> None:
    stored = layouts()[layout].read(values)
    assert (stored.state, stored.failures, stored.opened_at) == (state, failures, opened)


def test_every_layout_is_read_here() -> None:
    assert {layout for layout, *_ in READINGS} == set(layouts())


def test_go_tells_when_it_turns_half_open_in_nanoseconds() -> None:
    written = gobreaker(2, "2026-02-11T10:30:00.123456789+01:00")
    due = layouts()["gobreaker"].read({"state": written}).due
    assert due == NOW + timedelta(microseconds=123456)


def test_what_is_not_understood_is_named() -> None:
    values = {"state": b"open", "failures": b"many", "opened_at": b"soon", "last_failure": None}
    assert layouts()["split"].read(values).odd == ("failures", "opened_at")


@pytest.mark.parametrize(
    ("key", "layout", "name"),
    [
        ("circuit_breaker:stripe:state", "split", "stripe"),
        ("shop:cb:paypal:state", "split", "paypal"),
        (":1:circuit_breaker:stripe:state", "django", "stripe"),
        ("prod:1:circuit_breaker:stripe:state", "django", "stripe"),
        ("pybreaker:state", "pybreaker", "pybreaker"),
        ("shop:stripe:pybreaker:state", "pybreaker", "shop:stripe"),
        ("shop:aiobreaker:state", "aiobreaker", "shop"),
        ("cbr::stripe", "purgatory", "stripe"),
        ("gobreaker:state:stripe", "gobreaker", "stripe"),
        ("limen:gobreaker:state:stripe", "gobreaker", "stripe"),
        ("circuit_breaker:stripe", "document", "stripe"),
        ("cache:circuit_breaker:stripe:stats", "document", "stripe"),
        ("circuit_breaker:stripe:failures", None, ""),
        ("cbr::stripe::failure_count", None, ""),
        ("gobreaker:mutex:stripe", None, ""),
        ("notpybreaker:state", None, ""),
        ("circuit_breaker::state", None, ""),
        ("stripe_event:evt_1", None, ""),
    ],
)
def test_whose_key_it_is(key: str, layout: str | None, name: str) -> None:
    found = {id_: place for id_, one in layouts().items() if (place := one.place(key))}
    assert set(found) == ({layout} if layout else set())
    if layout:
        assert found[layout].name == name
        assert found[layout].parts["state"] == key


@pytest.mark.parametrize(
    ("layout", "values"),
    [(layout, values) for layout, values, state, *_ in READINGS if state is OPEN],
)
def test_a_reset_closes_and_a_trip_opens(layout: str, values: Values) -> None:
    made = layouts()[layout]
    after = {**values, **made.closed(values).values}
    assert made.read(after).state is CLOSED
    assert not made.read(after).failures
    tripped = made.opened(after, NOW, 600, 30)
    stored = made.read({**after, **tripped.values})
    if any(value is not None for value in after.values()) or layout in {"split", "django"}:
        assert stored.state is OPEN
    until = NOW + timedelta(seconds=600)
    if stored.due:
        assert abs(stored.due - until) < timedelta(seconds=1)
    elif stored.opened_at:
        recovery = timedelta(seconds=stored.recovery_s or 30)
        assert abs(stored.opened_at + recovery - until) <= timedelta(seconds=1)


def test_a_document_keeps_its_own_ways() -> None:
    before = {"state": b'{"State": "OPEN", "failures": "4", "note": [1], "openedAt": 1.5}'}
    after = layouts()["document"].closed(before).values["state"]
    assert json.loads(after or b"") == {
        "State": "CLOSED",
        "failures": "0",
        "note": [1],
        "openedAt": None,
    }


@given(st.binary(max_size=300), st.sampled_from(sorted(layouts())))
def test_nothing_stored_can_break_a_layout(value: bytes, layout: str) -> None:
    values = dict.fromkeys(("state", "failures", "successes", "opened_at", "last_failure"), value)
    made = layouts()[layout]
    made.read(values)
    made.closed(values)
    made.opened(values, NOW, 60, 30)


@given(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none()))
def test_a_pickled_scalar_comes_back(value: object) -> None:
    stored = pickled(value)
    assert is_pickle(stored)
    found = read_scalar(stored)
    assert found == value
    assert type(found) is type(value)


class _Runs:
    def __reduce__(self) -> tuple[object, ...]:
        return (exec, ("raise SystemExit",))


@pytest.mark.parametrize("value", [_Runs(), [1], (1, 2), {"a": 1}, b"x", NOW, {1}])
def test_no_other_pickle_is_read(value: object) -> None:
    for protocol in range(6):
        with pytest.raises(ValueError, match=r"more than one plain|values"):
            read_scalar(pickle.dumps(value, protocol=protocol))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(stored: bytes) -> None:
    for given_bytes in (stored, b"\x80\x05" + stored + b"."):
        with contextlib.suppress(ValueError):
            read_scalar(given_bytes)
