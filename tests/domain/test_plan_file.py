"""A plan's file: there and back, and everything that is not one is refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.money import Money
from payops.domain.plan import Caps, Change, Plan, Target, digest_of, signed
from payops.domain.plan_file import plan_of, plan_text

NOW = datetime(2026, 2, 11, 9, 30, 0, 123456, tzinfo=UTC)
CHANGE = Change(
    id="status_mismatch:payments:1",
    remedy="ledger.update",
    table="payments",
    key={"id": "1"},
    before={"status": "pending", "done": None},
    after={"status": "succeeded"},
    statement="UPDATE …",
    why="Stripe took the money",
    evidence=("stripe: succeeded",),
    money=Money("usd", 1999),
)
PLAN = signed(
    Plan(
        command="payops reconcile",
        created_at=NOW,
        expires_s=3600,
        target=Target("postgres", "test", "shop", "postgres:1/2", "acct_1"),
        changes=(CHANGE,),
        caps=Caps(10, {"usd": 5000}),
    )
)

texts = st.text(st.characters(exclude_characters="\0"))
names = st.text(st.characters(exclude_characters="\0"), min_size=1)
values = st.one_of(st.none(), texts)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    before = draw(st.dictionaries(names, values, min_size=1))
    after = {column: draw(values) for column in draw(st.sets(st.sampled_from(sorted(before))))}
    return Change(
        id=draw(names),
        remedy=draw(texts),
        table=draw(names),
        key=draw(st.dictionaries(names, texts, min_size=1)),
        before=before,
        after=after,
        statement=draw(texts),
        why=draw(texts),
        evidence=tuple(draw(st.lists(texts))),
        risk=draw(texts),
        undoable=draw(st.booleans()),
        money=draw(st.none() | st.builds(Money, st.sampled_from(["usd", "jpy"]), st.integers())),
        row="" if after else "0" * 64,
        undoes=draw(st.integers(0)),
    )


plans = st.builds(
    Plan,
    command=texts,
    created_at=st.datetimes(timezones=st.just(UTC)),
    expires_s=st.integers(1),
    target=st.builds(Target, texts, texts, texts, texts, texts),
    changes=st.lists(changes(), unique_by=lambda change: change.id, max_size=3).map(tuple),
    caps=st.builds(Caps, st.integers(0), st.dictionaries(names, st.integers(0))),
).map(signed)


@given(plans)
def test_there_and_back(plan: Plan) -> None:
    text = plan_text(plan)
    assert text.isascii()
    back = plan_of(text)
    assert back == plan
    assert digest_of(back) == plan.digest


@given(plans, plans)
def test_another_plan_has_another_digest(one: Plan, other: Plan) -> None:
    if replace(one, digest="") != replace(other, digest=""):
        assert one.digest != other.digest


@given(st.data())
def test_any_value_edited_is_another_digest(data: st.DataObject) -> None:
    raw = json.loads(plan_text(PLAN))
    place: Any = raw
    while True:
        key = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        if isinstance(place[key], dict | list) and place[key]:
            place = place[key]
            continue
        break
    if place is raw and key in {"digest", "version"}:
        return
    old = place[key]
    place[key] = data.draw(st.one_of(st.none(), texts, st.integers(), st.booleans()))
    if (type(old), old) == (type(place[key]), place[key]):
        return
    try:
        edited = plan_of(json.dumps(raw))
    except ValueError:
        return
    assert digest_of(edited) != PLAN.digest


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    raw = json.loads(plan_text(PLAN))
    change(raw)
    return json.dumps(raw)


def first(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["changes"][0]
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("[]", "is not a plan"),
        ("null", "is not a plan"),
        ("{}", "no version"),
        ("[" * 100_000, "nested|JSON"),
        ('{"version": 1, "version": 1}', "twice"),
        ('{"version": NaN}', "NaN is no number"),
        ('{"version": ' + "9" * 5000 + "}", "digits|version"),
        (edited(lambda raw: raw.update(version=2)), "version 2 is not known"),
        (edited(lambda raw: raw.update(version=True)), "version True is not known"),
        (edited(lambda raw: raw.update(version="1")), "version '1' is not known"),
        (edited(lambda raw: raw.update(extra=1)), "extra: is not known"),
        (edited(lambda raw: raw.update({"\x1b[2J": 1})), r"\\x1b\[2J: is not known"),
        (edited(lambda raw: raw.pop("target")), "plan.target: is missing"),
        (edited(lambda raw: raw.update(target=[])), "plan.target: .* is not a mapping"),
        (edited(lambda raw: raw.update(changes={})), "plan.changes: {} is not a list"),
        (edited(lambda raw: raw.update(changes=[1])), r"changes\[0\]: 1 is not a mapping"),
        (edited(lambda raw: raw.update(expires_s=1.5)), "expires_s: 1.5 is not a whole number"),
        (edited(lambda raw: raw.update(expires_s=True)), "is not a whole number"),
        (edited(lambda raw: raw.update(expires_s=0)), "longer than nothing"),
        (edited(lambda raw: raw.update(created_at="now")), "is no time"),
        (edited(lambda raw: raw.update(created_at="2026-02-11T09:30:00")), "UTC"),
        (edited(lambda raw: raw.update(created_at="2026-02-11T09:30:00+01:00")), "UTC"),
        (edited(lambda raw: first(raw).update(key={})), "does not find one row"),
        (edited(lambda raw: first(raw).update(key={"id": None})), "does not find one row"),
        (edited(lambda raw: first(raw).update(key={"id": 1})), "is not a text"),
        (edited(lambda raw: first(raw).update(key={"id": "\0"})), "is not a text"),
        (edited(lambda raw: first(raw).update(key={"": "1"})), "is no column"),
        (edited(lambda raw: first(raw).update(after={"other": "1"})), "not seen before"),
        (edited(lambda raw: first(raw).update(before={})), "key: is not in what is inserted"),
        (edited(lambda raw: first(raw).update(after={})), "row: belongs to a delete"),
        (edited(lambda raw: first(raw).update(before={}, after={})), "changes nothing"),
        (edited(lambda raw: first(raw).update(undoable=1)), "true or false"),
        (edited(lambda raw: first(raw).update(money={"currency": "usd"})), "minor: is missing"),
        (
            edited(lambda raw: first(raw).update(money={"currency": "../", "minor": 1})),
            "no currency",
        ),
        (edited(lambda raw: raw["changes"].append(first(raw))), "stands there twice"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as told:
        plan_of(text)
    assert len(str(told.value)) < 300
    assert str(told.value).isprintable()


def test_a_missing_digest_is_read_and_left_to_be_refused() -> None:
    assert plan_of(edited(lambda raw: raw.pop("digest"))).digest == ""


def test_times_are_compared_to_the_microsecond() -> None:
    later = replace(PLAN, created_at=NOW + timedelta(microseconds=1))
    assert digest_of(later) != PLAN.digest
