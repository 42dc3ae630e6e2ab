"""The rows of a remedy's select become changes: pure tables. The selects run in tests/cli."""

from __future__ import annotations

from typing import Any

import pytest

from payops.config.settings import Remedy
from payops.domain.plan_facts import Refusal
from payops.errors import ConfigError, UsageError
from payops.remedies import code_remedies
from payops.remedies.sql import changes_of, params_of

COLUMNS = ["id", "part", "status", "amount", "new_id"]


def remedy(**more: Any) -> Remedy:
    given: dict[str, Any] = {
        "title": "t",
        "why": "w",
        "table": "things",
        "key": ("id",),
        "select": "SELECT",
        "risk": "r",
        **more,
    }
    return Remedy(**given)


def test_a_change_a_row_and_none_where_nothing_changes() -> None:
    rows = [
        {"id": "1", "status": "a", "new_status": "b", "amount": "5", "seen": "yes"},
        {"id": "2", "status": "b", "new_status": "b", "amount": "5", "seen": "no"},
        {"id": "3", "status": None, "new_status": "b", "amount": None, "seen": None},
        {"id": "4", "status": "a", "new_status": None, "amount": "5", "seen": "yes"},
    ]
    changes, refused = changes_of("fix", remedy(), rows, COLUMNS)
    assert refused == []
    assert [change.id for change in changes] == ["fix:1", "fix:3", "fix:4"]
    assert changes[0].before == {"status": "a", "amount": "5"}
    assert changes[0].after == {"status": "b"}
    assert changes[0].evidence == ("seen=yes",)
    assert changes[2].after == {"status": None}
    assert {change.remedy for change in changes} == {"sql:fix"}


def test_only_what_changes_is_set() -> None:
    rows = [{"id": "1", "status": "a", "new_status": "b", "amount": "5", "new_amount": "5"}]
    changes, _ = changes_of("fix", remedy(), rows, COLUMNS)
    assert changes[0].before == {"status": "a", "amount": "5"}
    assert changes[0].after == {"status": "b"}


def test_keys_of_several_columns() -> None:
    rows = [
        {"id": "1", "part": "x", "status": "a", "new_status": "b"},
        {"id": "1", "part": "y", "status": "a", "new_status": "b"},
    ]
    changes, _ = changes_of("fix", remedy(key=("id", "part")), rows, COLUMNS)
    assert [change.id for change in changes] == ["fix:1,x", "fix:1,y"]
    assert changes[1].key == {"id": "1", "part": "y"}


def test_keys_that_find_no_row_or_several_and_secrets_are_left_out() -> None:
    rows = [
        {"id": "1", "status": "a", "new_status": "b"},
        {"id": "1", "status": "a", "new_status": "b"},
        {"id": None, "status": "a", "new_status": "b"},
        {"id": "2", "status": "a", "new_status": "whsec_abcdefghijklmnop"},
    ]
    changes, refused = changes_of("fix", remedy(), rows, COLUMNS)
    assert [change.id for change in changes] == ["fix:1"]
    assert [each.why for each in refused] == [
        "its key finds several rows",
        "its key is NULL",
        "new_status holds what looks like a secret, and a plan holds none",
    ]
    assert all(isinstance(each, Refusal) for each in refused)


def test_a_column_that_is_really_called_new_something() -> None:
    rows = [{"id": "1", "new_id": "7", "status": "a", "new_status": "b"}]
    changes, _ = changes_of("fix", remedy(), rows, COLUMNS)
    assert changes[0].after == {"status": "b"}


def test_nothing_but_the_key_and_new_values_is_a_new_row() -> None:
    rows = [
        {"id": "1", "new_status": "a", "new_amount": None, "seen": "yes"},
        {"id": "1", "new_status": "b", "new_amount": None, "seen": "yes"},
        {"id": None, "new_status": "b", "new_amount": None, "seen": "yes"},
    ]
    changes, refused = changes_of("fix", remedy(), rows, COLUMNS)
    assert [change.kind for change in changes] == ["insert"]
    assert changes[0].key == {"id": "1"}
    assert changes[0].after == {"id": "1", "status": "a", "amount": None}
    assert changes[0].evidence == ("seen=yes",)
    assert len(refused) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"status": "a", "new_status": "b"}, "key column 'id'"),
        ({"id": "1", "status": "a"}, "no COLUMN with a new_COLUMN"),
        ({"id": "1", "new_id": "2"}, "no COLUMN with a new_COLUMN"),
        ({"id": "1", "other": "a", "new_other": "b"}, "no column 'other'"),
        ({"id": "1", "status": "a", "new_status": "b", "new_x": "c"}, "'new_x' without 'x'"),
    ],
)
def test_a_select_that_does_not_give_what_it_must(row: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        changes_of("fix", remedy(), [row], COLUMNS)


def test_parameters() -> None:
    assert params_of("fix", {"days": "7", "who": "all"}, {"days": "1"}) == {
        "days": "1",
        "who": "all",
    }
    with pytest.raises(UsageError) as told:
        params_of("fix", {"days": "7"}, {"dyas": "1"})
    assert "did you mean days?" in told.value.hint


def test_remedies_in_code_are_found_by_their_place() -> None:
    for name, each in code_remedies().items():
        assert name == name.lower()
        assert each.title
        assert each.why
