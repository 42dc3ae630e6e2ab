"""Every row of the runbooks' checklist went somewhere, and what it went to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docgen import coverage

from payops.checks import check_ids
from payops.config.files import preset_names
from payops.config.load import settings_from
from payops.domain.discrepancy import MatchClass
from payops.formats import known_output
from payops.lab.scenario import scenario_ids
from tools import assert_typeable

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "coverage.md"
CHECKLIST = ROOT.parent / "shared" / "CHECKLIST.md"
# As many as the checklist has; it is kept here, since the checklist is not part of the repository.
ROWS = {"S0": 74, "S1": 30, "S2": 47, "S3": 47, "S4": 41}


def on_the_page() -> dict[str, str]:
    """Each row's line of docs/coverage.md."""
    lines = PAGE.read_text("utf-8").splitlines()
    return {line[2:7]: line for line in lines if re.match(r"\| S[0-9]-[0-9]{2} \|", line)}


@pytest.fixture(scope="module")
def rows() -> list[coverage.Row]:
    return coverage.rows()


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == coverage.page(), "run `make docs`"


def test_every_row_is_on_the_page_once() -> None:
    expected = {f"{page}-{n:02}" for page, count in ROWS.items() for n in range(1, count + 1)}
    assert set(on_the_page()) == expected
    assert PAGE.read_text("utf-8").count("\n| S") == len(expected) == 239


def test_the_page_has_the_checklists_own_rows() -> None:
    if not CHECKLIST.exists():
        pytest.skip("the checklist of the runbooks is not beside the repository")
    found = re.findall(r"^\| (S[0-9]-[0-9]{2}) \|", CHECKLIST.read_text("utf-8"), re.MULTILINE)
    assert sorted(found) == sorted(on_the_page())


def test_no_row_is_unaccounted_for(rows: list[coverage.Row]) -> None:
    for row in rows:
        assert row.checks or row.places, row.id
        assert row.words.strip()
        assert row.words in on_the_page()[row.id]


def test_every_row_that_the_code_cites_is_on_the_page() -> None:
    """Also in limits, comments and presets, where no `rows=` stands."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.yaml")]
    text = "\n".join(file.read_text("utf-8") for file in files)
    cited = set(coverage.ROW.findall(text))
    assert len(cited) > 100
    assert cited <= set(on_the_page())


def test_a_check_that_cites_a_row_stands_in_its_line() -> None:
    lines = on_the_page()
    for row, ids in coverage.cited().items():
        assert set(ids) <= set(check_ids())
        assert all(f"`{id_}`" in lines[row] for id_ in ids)


def test_commands_are_accepted_by_the_command_line(rows: list[coverage.Row]) -> None:
    commands = coverage.places_of("payops ", rows)
    assert len(commands) > 30
    for command in commands:
        assert_typeable(f"payops {command}")


@pytest.mark.parametrize("kind", ["class", "own", "remedy", "lab", "format"])
def test_what_is_named_is_there(kind: str, rows: list[coverage.Row]) -> None:
    presets = {name: settings_from({"preset": name}) for name in preset_names()}
    known = {
        "class": {one.value for one in MatchClass},
        "own": {f"{name}/{check}" for name, one in presets.items() for check in one.checks},
        "remedy": {f"{name}/{each}" for name, one in presets.items() for each in one.remedies},
        "lab": set(scenario_ids()),
    }
    named = set(coverage.places_of(f"{kind} ", rows))
    assert named
    if kind == "format":
        assert all(known_output(name) for name in named)
    else:
        assert named <= known[kind], named - known[kind]


def test_names_of_checks_in_words_are_checks(rows: list[coverage.Row]) -> None:
    families = {id_.partition(".")[0] for id_ in check_ids()}
    for row in rows:
        for word in re.findall(r"\b([a-z]+\.[a-z][a-z-]+)\b", " ".join(row.places)):
            if word.partition(".")[0] in families and "stripe." not in word:
                assert word in check_ids(), (row.id, word)


@pytest.mark.parametrize(
    "line",
    [
        "S0-01 | twice | payops stats",
        "S9 | no id | payops stats",
        "S9-01 | no place",
        "S9-01 | strange | somewhere",
    ],
)
def test_a_line_that_is_no_row_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.txt"
    path.write_text(f"S0-01 | first | payops stats\n{line}\n")
    monkeypatch.setattr(coverage, "LIST", path)
    with pytest.raises(ValueError, match=r"rows\.txt:2"):
        coverage.listed()


def test_a_row_that_is_cited_and_not_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("S0-01 | first | payops stats\n")
    monkeypatch.setattr(coverage, "LIST", path)
    with pytest.raises(ValueError, match="cited, and not in"):
        coverage.rows()
