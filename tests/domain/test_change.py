"""What changed since the run before, and when a check is said to flap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.change import (
    FLAPPING,
    Change,
    Kind,
    Remembered,
    changes_table,
    compare,
    untold,
)
from payops.domain.result import CheckResult
from payops.domain.status import Status

BEGAN = datetime(2026, 2, 11, 9, tzinfo=UTC)
LETTERS = {
    "O": Status.OK,
    "W": Status.WARN,
    "C": Status.CRIT,
    "U": Status.UNKNOWN,
    "S": Status.SKIP,
}


def a_result(status: Status, id_: str = "a.b", *, advisory: bool = False) -> CheckResult:
    return CheckResult(status, "x", id=id_, advisory=advisory)


def runs(letters: str) -> tuple[list[Change | None], dict[str, Remembered]]:
    """The change of each run, one a minute, of a check that had these statuses."""
    memory: dict[str, Remembered] = {}
    seen: list[Change | None] = []
    for number, letter in enumerate(letters):
        now = BEGAN + timedelta(minutes=number)
        memory, changes = compare(memory, [a_result(LETTERS[letter])], now)
        seen.append(changes[0] if changes else None)
    return seen, memory


def at(minute: int) -> datetime:
    return BEGAN + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("letters", "kind", "since"),
    [
        ("O", None, 0),
        ("S", None, 0),
        ("OS", None, 0),
        ("C", "new", 0),
        ("OC", "new", 1),
        ("SC", "new", 1),
        ("OCC", "persisting", 1),
        ("OWC", "worse", 1),
        ("OWU", "worse", 1),
        ("OUC", "worse", 1),
        ("OCW", "better", 1),
        ("OCU", "better", 1),
        ("OCCO", "resolved", 1),
        ("OCCS", "resolved", 1),
        ("OCCOO", None, 0),
        ("OCOC", "new", 3),
    ],
)
def test_what_became_of_a_check(letters: str, kind: str | None, since: int) -> None:
    last = runs(letters)[0][-1]
    assert (last.kind.value if last else None) == kind
    if last:
        assert last.since == at(since)
        assert last.before == (LETTERS[letters[-2]] if len(letters) > 1 else None)


@pytest.mark.parametrize(
    ("letters", "flapping"),
    [
        ("OCOCO", False),  # four turns
        ("OCOCOC", True),  # the fifth
        ("OWCWCW", True),  # between two degrees of trouble, too
        ("OSOSOSOSOS", False),  # not used here is as well as well
        ("OCOCOCCCC", True),  # four runs agree
        ("OCOCOCCCCC", False),  # five do
        ("OCOCOCCCCCO", False),  # and it does not begin again at the next turn
        ("OCOCOCOOOOO", False),
        ("OCO" + "O" * 14 + "COC", True),  # five turns within twenty
        ("OCO" + "O" * 17 + "COC", False),  # of five, two are longer ago
    ],
)
def test_flapping(letters: str, flapping: bool) -> None:
    changes, memory = runs(letters)
    assert memory["a.b"].flapping is flapping
    last = changes[-1]
    assert (last is not None and last.kind is Kind.FLAPPING) is flapping


def test_what_stopped_flapping_is_told_as_it_is() -> None:
    assert runs("OCOCOCOOOOO")[0][-1].kind is Kind.RESOLVED  # type: ignore[union-attr]
    assert runs("OCOCOCCCCCC")[0][-1].kind is Kind.PERSISTING  # type: ignore[union-attr]


def test_a_check_that_was_not_asked_stays_as_it_was() -> None:
    memory, _ = compare({}, [a_result(Status.CRIT, "a.b"), a_result(Status.OK, "c.d")], BEGAN)
    after, changes = compare(memory, [a_result(Status.OK, "c.d")], at(1))
    assert changes == ()
    assert after["a.b"] == memory["a.b"]


def test_of_two_results_with_one_id_the_worse_counts() -> None:
    results = [a_result(Status.OK), a_result(Status.CRIT), a_result(Status.WARN)]
    memory, (change,) = compare({}, results, BEGAN)
    assert change.status is memory["a.b"].status is Status.CRIT


def test_what_a_whole_run_does_not_name_any_more_is_well() -> None:
    memory, _ = compare({}, [a_result(Status.CRIT, "a.b"), a_result(Status.OK, "c.d")], BEGAN)
    after, (change,) = compare(memory, [], at(1), whole=True)
    assert (change.id, change.kind, change.since) == ("a.b", Kind.RESOLVED, BEGAN)
    assert after["a.b"].status is Status.OK


def test_people_are_told_what_they_were_not_told_before() -> None:
    _, memory = runs("OC")
    results = [a_result(Status.CRIT)]
    assert untold(memory, results, at(1)) == {"a.b": "CRIT"}
    assert untold(memory, [a_result(Status.CRIT, advisory=True)], at(1)) == {}
    assert untold(memory, results, at(2)) == {}, "this run did not ask it"
    _, flapping = runs("OCOCOC")
    assert untold(flapping, results, at(5)) == {"a.b": FLAPPING}
    assert untold(runs("OCO")[1], results, at(2)) == {}, "it came and went, and nobody was told"


@given(st.text("OWCUS", min_size=1, max_size=60))
def test_memory_is_bounded_and_tells_the_present(letters: str) -> None:
    changes, memory = runs(letters)
    known = memory["a.b"]
    assert len(known.recent) <= 20
    assert known.status is LETTERS[letters[-1]]
    assert known.since <= known.seen == at(len(letters) - 1)
    ill = known.status in (Status.WARN, Status.CRIT, Status.UNKNOWN)
    last = changes[-1]
    if ill:
        assert last is not None
        assert last.kind is not Kind.RESOLVED
        assert last.since == known.since
    assert known.word in ({FLAPPING} if known.flapping else {known.status.value, "OK"})


@given(st.text("OC", min_size=1, max_size=60))
def test_each_trouble_begins_once_and_ends_once(letters: str) -> None:
    kinds = [one.kind for one in runs(letters)[0] if one and one.kind is not Kind.PERSISTING]
    calm = [kind for kind in kinds if kind is not Kind.FLAPPING]
    if Kind.FLAPPING not in kinds:
        assert calm == [Kind.NEW, Kind.RESOLVED] * (len(calm) // 2) + [Kind.NEW] * (len(calm) % 2)


def test_the_table() -> None:
    change = Change("a.b", Kind.NEW, Status.CRIT, None, BEGAN)
    table = changes_table([change])
    assert table.id == "changes"
    assert table.rows == (("a.b", "new", Status.CRIT, None, BEGAN),)
    assert changes_table([]).note
