"""What every check promises, whatever it asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from payops.checks import FAMILIES, check_ids, load_check
from payops.domain.threshold import Threshold
from tools import assert_typeable

ROOT = Path(__file__).parents[2]
CHECKLIST = ROOT.parent / "shared" / "CHECKLIST.md"
UNITS = {"s", "ms", "%", "count", "bytes"}


@pytest.fixture(scope="module")
def rows() -> set[str]:
    """Ids of the rows of the checklist that the runbooks were boiled down to."""
    if not CHECKLIST.exists():
        pytest.skip("the checklist of the runbooks is not beside the repository")
    found = set(re.findall(r"^\| (S[0-9]-[0-9]{2}) \|", CHECKLIST.read_text("utf-8"), re.MULTILINE))
    assert len(found) > 200
    return found


@pytest.mark.parametrize("id_", check_ids())
def test_rows_and_sources_of_numbers_exist(id_: str, rows: set[str]) -> None:
    check = load_check(id_)
    assert check.rows
    cited = {*check.rows}
    for limit in check.limits.values():
        cited |= set(re.findall(r"S[0-9]-[0-9]{2}", limit.source))
    assert cited <= rows


@pytest.mark.parametrize("id_", check_ids())
def test_each_threshold_has_a_unit_and_a_source_and_grows_worse(id_: str) -> None:
    for name, limit in load_check(id_).limits.items():
        assert isinstance(limit, Threshold), name
        assert limit.unit in UNITS
        assert re.match(r"S[0-9]-[0-9]{2}\b|payops: \w", limit.source), limit.source
        if limit.warn is not None and limit.crit is not None:
            assert (limit.warn < limit.crit) == (limit.worse == "higher")


@pytest.mark.parametrize("id_", check_ids())
def test_it_says_what_it_asks_and_what_to_do_when_nobody_answers(id_: str) -> None:
    check = load_check(id_)
    family = id_.partition(".")[0]
    assert family in FAMILIES
    assert check.title
    assert len(check.title) < 60
    assert {*check.source.split("+")} <= {"stripe", "postgres", "redis", "http", "configuration"}
    for action in check.when_down:
        assert action.text
        assert_typeable(action.command)


@pytest.mark.parametrize("id_", check_ids())
def test_every_check_has_tests_in_its_own_file(id_: str) -> None:
    family, name = id_.replace("-", "_").split(".")
    assert (ROOT / "tests" / "checks" / family / f"test_{name}.py").exists()


@pytest.mark.parametrize(
    "command",
    [
        "payops health --only nothing",
        "payops heath",
        "payops health --onyl stripe",
        "payops health -o yaml",
        "payops config",
        "redis-cli DEL 'a",
    ],
)
def test_a_command_that_cannot_be_typed_is_found_out(command: str) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever the parser raises
        assert_typeable(command)
